/** An export package back into a directory: checked while it is unpacked, and all of it or nothing. */
import { readdirSync } from 'node:fs';
import { chmod, type FileHandle, lstat, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import type { Clock } from '../base/clock.ts';
import { errno } from '../base/errno.ts';
import { Failure, isFailure } from '../base/failure.ts';
import { makeDirectories } from '../base/make-directories.ts';
import type { Progress } from '../base/progress.ts';
import { syncDirectory } from '../base/sync-directory.ts';
import { makeDurable } from '../recovery/durability.ts';
import { checkRoom } from '../recovery/target.ts';
import type { Ownership } from '../repository/restore-metadata.ts';
import { MANIFEST } from './package/layout.ts';
import { ByteReader, refused } from './package/tar-reader.ts';
import { HELD, type Unpacked, unpack } from './package/unpack.ts';

export interface ImportInput {
  /** A file, absolute, or its bytes as they come. */
  readonly from: string | AsyncIterable<Uint8Array>;
  /** Absolute; new, or an empty directory. */
  readonly target: string;
  readonly ownership: Ownership;
}

export interface ImportWorld {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

export interface ImportOutcome {
  readonly app: string;
  readonly point: string | null;
  readonly time: string;
  readonly target: string;
  readonly sources: readonly { readonly name: string; readonly type: string; readonly major: number | null }[];
  readonly files: number;
  readonly directories: number;
  readonly bytes: number;
  readonly duration_s: number;
}

const STEP = 'import';
/** A server that runs as another account must get to its data directory, and nobody need see what else there is. */
const PASSABLE = 0o711;
const LONGEST_MANIFEST = 64 * 1024 * 1024;

/**
 * Throws `package_refused` for what is no whole package of ours, `target_exists`, `target_full`, `target_unwritable`, `path_unknown`. What
 * was unpacked by then is removed again.
 */
export async function importPackage(world: ImportWorld, input: ImportInput): Promise<ImportOutcome> {
  const { clock, progress } = world;
  const started = clock.monotonic();
  const { target, from } = input;
  await using source = typeof from === 'string' ? await PackageFile.open(from) : undefined;
  const made = await prepare(target);
  try {
    if (source !== undefined) await checkRoom(target, source.size, 0, 'the import');
    progress({
      ...{ type: 'step', step: STEP, title: 'checking and unpacking' },
      ...(source === undefined ? {} : { totalBytes: source.size }),
    });
    const unpacked = await unpackInto(world, input, source?.bytes() ?? (from as AsyncIterable<Uint8Array>));
    const manifest = await readManifest(target);
    await settle(target, unpacked);
    if (made) await chmod(target, PASSABLE);
    progress({ type: 'done', step: STEP, outcome: 'done' });
    const { files, directories, bytes, name } = unpacked;
    return {
      ...{ ...manifest, point: /-([0-9a-f]{8})$/.exec(name)?.[1] ?? null, target, files, directories, bytes },
      duration_s: (clock.monotonic() - started) / 1000,
    };
  } catch (error) {
    progress({ type: 'done', step: STEP, outcome: 'failed' });
    await takeBack(target, made);
    throw inOurWords(error, target);
  }
}

async function unpackInto(
  { signal, progress }: ImportWorld,
  { target, ownership }: ImportInput,
  bytes: AsyncIterable<Uint8Array>,
): Promise<Unpacked> {
  const reader = new ByteReader(bytes);
  try {
    const onProgress = (done: number) => progress({ type: 'advance', step: STEP, bytes: done });
    return await unpack(reader, { target, ownership, signal, onProgress });
  } finally {
    await reader.close();
  }
}

/** A package in a file. */
class PackageFile implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly size: number;

  private constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.size = size;
  }

  static async open(path: string): Promise<PackageFile> {
    const file = await open(path).catch((cause: Error) => {
      const reason = errno(cause) === 'ENOENT' ? 'does not exist' : `cannot be read: ${cause.message}`;
      throw new Failure('path_unknown', `${path} ${reason}.`, {
        hint: 'Name the file that "holdfast export" wrote, or "-" for standard input. Nothing was changed.',
        cause,
      });
    });
    const stats = await file.stat();
    if (stats.isFile()) return new PackageFile(file, stats.size);
    await file.close();
    throw new Failure('path_unknown', `${path} is no file.`);
  }

  bytes(): AsyncIterable<Uint8Array> {
    return this.#file.createReadStream({ autoClose: false, highWaterMark: 1024 * 1024 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

/** Whether the directory was made. Throws `target_exists`. */
async function prepare(target: string): Promise<boolean> {
  const stats = await lstat(target).catch((error: unknown) => {
    if (errno(error) === 'ENOENT') return undefined;
    throw inOurWords(error, target);
  });
  if (stats === undefined) {
    try {
      await makeDirectories(dirname(target));
      await makeDirectories(target, 0o700);
    } catch (error) {
      throw inOurWords(error, target);
    }
    return true;
  }
  if (stats.isDirectory() && (await readdir(target)).length === 0) return false;
  throw new Failure('target_exists', `${target} ${stats.isDirectory() ? 'is not empty' : 'is no directory'}.`, {
    hint: 'Name a new or empty directory with --to; what an interrupted import left has no SHA256SUMS and can be removed.',
  });
}

const Recorded = z.looseObject({
  app: z.string().max(200),
  time: z.string().max(60),
  sources: z.record(
    z.string(),
    z.looseObject({ type: z.string(), facts: z.looseObject({ versionNum: z.number() }).optional() }),
  ),
});

async function readManifest(target: string): Promise<Pick<ImportOutcome, 'app' | 'time' | 'sources'>> {
  try {
    const file = join(target, MANIFEST);
    if ((await lstat(file)).size > LONGEST_MANIFEST) throw new Error('too long');
    const { app, time, sources } = Recorded.parse(JSON.parse(await readFile(file, 'utf8')));
    const list = Object.entries(sources).map(([name, { type, facts }]) => {
      return { name, type, major: facts === undefined ? null : Math.floor(facts.versionNum / 10_000) };
    });
    return { app, time, sources: list };
  } catch (error) {
    if (isFailure(error)) throw error;
    throw refused('it has no manifest that can be read');
  }
}

/** Everything is on the disk before databases can be started. */
async function settle(target: string, { held }: Unpacked): Promise<void> {
  await makeDurable(target, below(Buffer.from(target)));
  for (const path of held) {
    const place = Buffer.concat([Buffer.from(`${target}/`), path]);
    await rename(Buffer.concat([place, Buffer.from(HELD)]), place);
    await syncDirectory(place.subarray(0, place.lastIndexOf('/')));
  }
}

/** The directory, and all files and directories in it. */
function* below(directory: Buffer): Generator<Buffer> {
  for (const entry of readdirSync(directory, { encoding: 'buffer', withFileTypes: true })) {
    const path = Buffer.concat([directory, Buffer.from('/'), entry.name]);
    if (entry.isDirectory()) yield* below(path);
    else if (entry.isFile()) yield path;
  }
  yield directory;
}

/** What cannot be removed is told by what is missing: such a directory has no checksums. */
async function takeBack(target: string, made: boolean): Promise<void> {
  const places = made ? [target] : (await readdir(target)).map((name) => join(target, name));
  for (const place of places) await rm(place, { recursive: true, force: true }).catch(() => {});
}

function inOurWords(error: unknown, target: string): unknown {
  const code = errno(error);
  if (code === undefined) return error;
  const { message } = error as Error;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new Failure('target_full', `${target}: ${message}.`, { cause: error });
  return new Failure('target_unwritable', `${target} cannot be written: ${message}.`, {
    hint: 'Check its permissions, or name another directory with --to.',
    cause: error,
  });
}
