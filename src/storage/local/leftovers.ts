/** Temporary files of writers that died. */
import { opendir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errno } from '../../base/errno.ts';
import { isTemporaryName } from '../keys.ts';
import { localFailure } from './errors.ts';

export interface LeftoverSearch {
  readonly name: string;
  readonly path: string;
  /** Files last written before this are removed (ms since the epoch). */
  readonly before: number;
  readonly signal: AbortSignal | undefined;
}

/** Removes old temporary files below the storage's directory, ours and restic's; returns how many. */
export async function removeTemporaryFiles({ name, path, before, signal }: LeftoverSearch): Promise<number> {
  let removed = 0;
  try {
    for await (const file of temporaryFiles(path, signal)) {
      if (await removeIfOld(file, before)) removed++;
    }
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw localFailure(name, `looking for leftovers in ${path}`, error);
  }
  return removed;
}

async function* temporaryFiles(root: string, signal: AbortSignal | undefined): AsyncGenerator<string> {
  const pending = [root];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    for await (const entry of await opendir(directory)) {
      signal?.throwIfAborted();
      const path = join(directory, entry.name);
      if (entry.isDirectory()) pending.push(path);
      else if (entry.isFile() && isTemporaryName(entry.name)) yield path;
    }
  }
}

async function removeIfOld(path: string, before: number): Promise<boolean> {
  try {
    if ((await stat(path)).mtimeMs >= before) return false;
    await unlink(path);
    return true;
  } catch (error) {
    if (errno(error) === 'ENOENT') return false;
    throw error;
  }
}
