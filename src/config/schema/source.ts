/** Sources: what of an app is protected. */
import * as z from 'zod';
import { choice, mapping, path, secret, text, toggle } from './scalars.ts';
import { wal } from './wal.ts';

const postgres = mapping({
  type: z.literal('postgres'),
  url: secret('postgres://user:password@host:port/database, with libpq parameters such as sslmode.', (written) =>
    /^postgres(ql)?:\/\//.test(written) ? undefined : 'must be a URL: postgres://user:password@host:port/database',
  ),
  wal: wal.default('off'),
});

const files = mapping({
  type: z.literal('files'),
  path: path('The directory.'),
  exclude: z
    .array(text('A pattern.'), { error: 'must be a list of patterns' })
    .describe('Patterns of what is left out: *, ** and ? as usual; without a slash a pattern fits a name anywhere.')
    .default([]),
  oneFileSystem: toggle('Do not go into other file systems mounted below.').default(false),
  excludeCaches: toggle('Leave out the content of directories marked by a CACHEDIR.TAG.').default(false),
});

const config = mapping({
  type: z.literal('config'),
  paths: z
    .array(text('A file.'), { error: 'must be a list of paths' })
    .min(1, 'must name at least one file')
    .describe('The files: relative to base, or absolute.'),
  base: path('The directory that relative paths start from.').default('.'),
  secrets: choice('What happens to values that look secret: mask them, keep them, or omit files that have any.', [
    'mask',
    'keep',
    'omit',
  ]).default('mask'),
});

export const source = z.discriminatedUnion('type', [postgres, files, config]).describe('One thing that is protected.');
