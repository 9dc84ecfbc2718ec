/** The directory a files source starts from. */
import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errno } from '../../base/errno.ts';
import { Failure } from '../../base/failure.ts';
import { printable } from '../../base/printable.ts';
import { reasonOf } from '../system-errors.ts';

export interface Root {
  /** Absolute, without a trailing slash (except `/` itself). */
  readonly path: string;
  readonly stats: BigIntStats;
}

/** Looks at the root; a symbolic link to a directory is followed. Throws `source_unreadable` unless it is a directory. */
export async function openRoot(root: string): Promise<Root> {
  const path = resolve(root);
  const shown = printable(path);
  let stats: BigIntStats;
  try {
    stats = await stat(path, { bigint: true });
  } catch (cause) {
    const missing = errno(cause) === 'ENOENT';
    throw new Failure(
      'source_unreadable',
      missing ? `There is no directory ${shown}.` : `The directory ${shown} cannot be read: ${reasonOf(cause)}.`,
      { hint: `Check the "path" of this source, and that its volume is mounted.`, cause },
    );
  }
  if (stats.isDirectory()) return { path, stats };
  throw new Failure('source_unreadable', `${shown} is not a directory.`, {
    hint: 'A source of type "files" protects a directory; name single files in a source of type "config".',
  });
}
