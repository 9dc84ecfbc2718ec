/** The whole file. */
import * as z from 'zod';
import { alerts } from './alerts.ts';
import { app } from './app.ts';
import { count, mapping, name, path, secret, size, text, value } from './scalars.ts';
import { verification } from './schedule.ts';
import { catalog, server, worker } from './service.ts';
import { storage } from './storage.ts';

const MIB = 1024 ** 2;

/** The one version of the file's form that this program reads. */
export const VERSION = 1;

const COMPRESSION = 'must be auto, max, off or a zstd level from 1 to 19';

const level = z.number().int(COMPRESSION).min(1, COMPRESSION).max(19, COMPRESSION);

const compression = value(z.union([z.enum(['auto', 'max', 'off']), level], { error: COMPRESSION }));

const repository = mapping({
  password: secret(
    'The password that opens the repository. Whoever has it can read every backup; without it nobody can.',
  ),
  packSize: size('The size of the objects that backups are stored in.', 4 * MIB, 128 * MIB).default('16MiB'),
  compression: compression.describe('auto, max, off or a zstd level from 1 to 19.').default('auto'),
}).describe('How backups are sealed and packed.');

export const file = mapping({
  version: z.literal(VERSION).describe('The form of this file.'),
  repository,
  storages: z.record(name, storage, { error: 'must map names to storages' }).describe('Where backups live.'),
  copies: mapping({
    required: count(
      'A backup is complete once this many storages hold all of it. Absent: all of them.',
      1,
      64,
    ).optional(),
  })
    .describe('How many copies are asked for.')
    .default({}),
  postgres: mapping({
    programs: z
      .array(path('A directory with the programs initdb and postgres.'), { error: 'must be a list of directories' })
      .describe('Where server programs are looked for before the usual places.')
      .default([]),
    account: text('The account that runs restored copies when Holdfast runs as root. Absent: postgres.').optional(),
  })
    .describe('Servers that are started on restored copies: for a moment, a proof, a sandbox.')
    .default({ programs: [] }),
  catalog,
  server,
  worker,
  alerts: alerts.prefault({}),
  verification,
  apps: z.record(name, app, { error: 'must map names to apps' }).describe('What is protected.').default({}),
});

/** The file as checked: references and texts as written, defaults filled in. */
export type FileValues = z.infer<typeof file>;
