/**
 * Putting a restored tree where the old one is. What was there is renamed and kept beside it; each step that was done can be undone, and
 * is, when a later one fails.
 */
import type { Stats } from 'node:fs';
import { chmod, chown, copyFile, lstat, mkdir, readdir, rename, rm, rmdir, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from '../../base/failure.ts';
import { makeDirectories } from '../../base/make-directories.ts';
import { syncDirectory } from '../../base/sync-directory.ts';

/** `directory`: renamed as a whole; `children`: a mount point, whose entries are moved; `file`: one file. */
export type SwapKind = 'directory' | 'children' | 'file';

export interface Swap {
  readonly source: string;
  readonly kind: SwapKind;
  /** What is replaced. Absolute. */
  readonly destination: string;
  /** What takes its place, on the same file system (a file is copied there first). */
  readonly restored: string;
  /** Where the old state is kept. */
  readonly before: string;
  /** Whether there is an old state. */
  readonly replaces: boolean;
}

/** What was done, in order; undone in reverse. */
interface Done {
  readonly what: string;
  readonly undo: () => Promise<void>;
}

/** Carries out all swaps or none. When even going back fails, the failure says what is where. */
export async function swapAll(swaps: readonly Swap[]): Promise<void> {
  const done: Done[] = [];
  try {
    for (const swap of swaps) await perform(swap, done);
  } catch (error) {
    await undoAll(done, error);
    throw error;
  }
}

async function perform(swap: Swap, done: Done[]): Promise<void> {
  if (swap.kind === 'children') await swapChildren(swap, done);
  else if (swap.kind === 'file') await swapFile(swap, done);
  else await swapDirectory(swap, done);
}

async function swapDirectory({ destination, restored, before }: Swap, done: Done[]): Promise<void> {
  if (await exists(destination)) await move(destination, before, done);
  await move(restored, destination, done);
  await syncDirectory(dirname(destination));
}

async function swapChildren({ destination, restored, before }: Swap, done: Done[]): Promise<void> {
  await mkdir(before, { mode: 0o700 });
  done.push({ what: `${before} was made`, undo: () => rmdir(before) });
  for (const name of await readdir(destination)) {
    const path = join(destination, name);
    // what a mount point has of its own, and what this restore or an earlier one put beside the rest
    if (name === 'lost+found' || name.startsWith('.holdfast-')) continue;
    await move(path, join(before, name), done);
  }
  for (const name of await readdir(restored)) await move(join(restored, name), join(destination, name), done);
  const { mode, uid, gid } = await lstat(restored);
  await chmod(destination, mode & 0o7777);
  await chown(destination, uid, gid).catch(() => {}); // as far as our account may
  await syncDirectory(destination);
}

async function swapFile({ destination, restored, before }: Swap, done: Done[]): Promise<void> {
  await makeDirectories(dirname(destination));
  const beside = `${destination}.holdfast-new`;
  await rm(beside, { force: true });
  await copyWithMeta(restored, beside);
  try {
    if (await exists(destination)) await move(destination, before, done);
    await move(beside, destination, done);
  } finally {
    await rm(beside, { force: true });
  }
  await syncDirectory(dirname(destination));
}

async function copyWithMeta(from: string, to: string): Promise<void> {
  const stats: Stats = await lstat(from);
  await copyFile(from, to);
  await chown(to, stats.uid, stats.gid).catch(() => {}); // as far as our account may
  await chmod(to, stats.mode & 0o7777);
  await utimes(to, stats.mtimeMs / 1000, stats.mtimeMs / 1000);
}

async function move(from: string, to: string, done: Done[]): Promise<void> {
  if (await exists(to)) {
    throw new Failure('target_exists', `${to} is in the way.`, {
      hint: 'Move it away and run the same restore again.',
    });
  }
  try {
    await rename(from, to);
  } catch (error) {
    throw new Failure('target_unwritable', `${from} cannot be renamed to ${to}: ${(error as Error).message}.`, {
      cause: error,
    });
  }
  done.push({ what: `${from} was renamed to ${to}`, undo: () => rename(to, from) });
}

async function undoAll(done: readonly Done[], cause: unknown): Promise<void> {
  for (let at = done.length - 1; at >= 0; at--) {
    try {
      await done[at]!.undo();
    } catch (error) {
      const left = done.slice(0, at + 1).map(({ what }) => ({ message: what }));
      throw new Failure(
        'target_unwritable',
        `The swap failed (${(cause as Error).message}) and could not be taken back whole: ${(error as Error).message}.`,
        {
          hint: 'These steps still stand; undo them by hand, the last one first.',
          cause,
          details: { stuck: true, problems: left },
        },
      );
    }
  }
}

export async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
