/**
 * The directory a restore writes to. It must be new or empty, or hold an unfinished restore of the same things, told by a marker file
 * that is written first and removed last.
 */
import { constants } from 'node:fs';
import { access, lstat, opendir, readdir, readFile, rm, rmdir, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errno } from '../base/errno.ts';
import { Failure } from '../base/failure.ts';
import type { Id } from '../base/ids.ts';
import { type JsonObject, parseJsonObject } from '../base/json-object.ts';
import { makeDirectories } from '../base/make-directories.ts';
import { formatBytes } from '../base/sizes.ts';
import { syncDirectory } from '../base/sync-directory.ts';

const MARKER_NAME = '.holdfast-restore.json';
const MAX_MARKER = 1024 * 1024;
/** What file systems need beside the content, per file. */
const BYTES_PER_FILE = 4096;

const RESTORE = 'the restore';

/** What is being restored; an unfinished restore is continued only by one of the same. */
export interface RestoreIdentity {
  readonly point: Id;
  readonly sources: readonly string[];
  readonly paths: readonly string[];
  /** What it takes besides the point. */
  readonly besides?: string;
}

export interface PreparedTarget {
  readonly path: string;
  /** There is an unfinished restore of the same in it. */
  readonly continues: boolean;
  /** The directory was made by the restore, now or when it began. */
  readonly made: boolean;
}

export type TargetState = 'absent' | 'empty' | { readonly continues: true; readonly made: boolean };

/** Looks without changing anything. Throws `target_exists`. */
export async function inspectTarget(path: string, identity: RestoreIdentity): Promise<TargetState> {
  const stats = await lstat(path).catch(absent);
  if (stats === undefined) return 'absent';
  if (!stats.isDirectory()) {
    throw new Failure('target_exists', `${path} exists and is not a directory.`, {
      hint: 'Name a new directory with --to.',
    });
  }
  const marker = await readMarker(path);
  if (marker !== undefined) return sameRestore(path, marker, identity);
  if (await isEmpty(path)) return 'empty';
  throw new Failure('target_exists', `${path} is not empty.`, {
    hint: 'Name a new or empty directory with --to; to replace what an app uses, see --in-place.',
  });
}

/** Makes the directory and leaves the marker in it. */
export async function prepareTarget(path: string, identity: RestoreIdentity): Promise<PreparedTarget> {
  const found = await inspectTarget(path, identity);
  if (typeof found === 'object') return { path, ...found };
  const made = found === 'absent';
  await writable(path, async () => {
    if (made) await makeDirectory(path);
    await writeFile(join(path, MARKER_NAME), `${JSON.stringify({ format: 1, ...identity, made }, null, 2)}\n`, {
      flag: 'wx',
      mode: 0o600,
      flush: true,
    });
  });
  return { path, continues: false, made };
}

/** Closed until it is whole. Directories above it that are missing are made as anybody makes them: a server that runs as another account must get through. */
async function makeDirectory(path: string): Promise<void> {
  await makeDirectories(dirname(path));
  await makeDirectories(path, 0o700);
}

/** Says that the restore is whole: the marker goes, durably. */
export async function finishTarget(path: string): Promise<void> {
  await rm(join(path, MARKER_NAME));
  await syncDirectory(path);
}

/** Takes the target back when nothing was restored into it; an unfinished restore stays, and can be continued. */
export async function abandonTarget({ path, made }: PreparedTarget): Promise<void> {
  const names = await readdir(path).catch(() => []);
  if (names.length !== 1 || names[0] !== MARKER_NAME) return;
  await rm(join(path, MARKER_NAME), { force: true });
  if (made) await rmdir(path).catch(() => {});
}

/** Throws `target_full` when the file system cannot take `bytes` more in `files` files. `work`: what needs them. */
export async function checkRoom(path: string, bytes: number, files: number, work = RESTORE): Promise<void> {
  let place = path;
  let stats = await statfs(place).catch(absent);
  while (stats === undefined && dirname(place) !== place) {
    place = dirname(place);
    stats = await statfs(place).catch(absent);
  }
  // Some file systems (of FUSE, /proc) do not say how large they are.
  if (stats === undefined || stats.blocks === 0) return;
  const free = stats.bavail * stats.bsize;
  const needed = bytes + files * BYTES_PER_FILE;
  if (needed > free) {
    throw new Failure('target_full', `${path} has ${formatBytes(free)} free; ${work} needs ${formatBytes(needed)}.`, {
      hint: `Make room, ${work === RESTORE ? 'choose another directory, or restore less with --source or --path' : 'or choose another directory'}.`,
      details: { free, needed },
    });
  }
  if (stats.files > 0 && files > stats.ffree) {
    throw new Failure('target_full', `${path} can take ${stats.ffree} more files; ${work} has ${files}.`, {
      hint: 'Choose a directory on another file system.',
    });
  }
}

async function readMarker(path: string): Promise<JsonObject | undefined> {
  const file = join(path, MARKER_NAME);
  const stats = await lstat(file).catch(absent);
  if (stats === undefined) return undefined;
  if (!stats.isFile() || stats.size > MAX_MARKER) throw unknownMarker(path);
  const marker = parseJsonObject(await readFile(file, 'utf8').catch(() => ''));
  if (marker === undefined) throw unknownMarker(path);
  return marker;
}

function sameRestore(path: string, marker: Record<string, unknown>, identity: RestoreIdentity): TargetState {
  const { format, point, sources, paths, besides } = marker;
  const same =
    format === 1 &&
    point === identity.point &&
    besides === identity.besides &&
    JSON.stringify(sources) === JSON.stringify(identity.sources) &&
    JSON.stringify(paths) === JSON.stringify(identity.paths);
  if (same) return { continues: true, made: marker.made === true };
  throw new Failure('target_exists', `${path} holds an unfinished restore of something else.`, {
    hint: `Finish it with the same options, remove ${path}, or name another directory.`,
    details: { point, sources, paths },
  });
}

function unknownMarker(path: string): Failure {
  return new Failure('target_exists', `${path} holds a ${MARKER_NAME} that cannot be read.`, {
    hint: `Remove ${path} or name another directory.`,
  });
}

async function isEmpty(path: string): Promise<boolean> {
  await using directory = await opendir(path);
  return (await directory.read()) === null;
}

async function writable(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { code, message } = (await refusalAt(path)) ?? (error as NodeJS.ErrnoException);
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new Failure('target_full', `${path}: ${message}.`, { cause: error });
    if (code === undefined) throw error;
    throw new Failure('target_unwritable', `${path} cannot be written: ${message}.`, {
      hint: 'Check its permissions, or name another directory with --to.',
      cause: error,
    });
  }
}

/** Why nothing can be made at `path`, in clearer words than making directories one in another gets. */
async function refusalAt(path: string): Promise<NodeJS.ErrnoException | undefined> {
  let place = path;
  while ((await lstat(place).catch(absent)) === undefined && dirname(place) !== place) place = dirname(place);
  return access(place, constants.W_OK).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error,
  );
}

function absent(error: unknown): undefined {
  if (errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR') return undefined;
  throw error;
}
