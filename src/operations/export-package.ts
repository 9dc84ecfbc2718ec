/** A point as one file that needs nothing else: everything in it, how to restore it by hand, and checksums of all of it. */
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { Failure } from '../base/failure.ts';
import { type Id, shortId } from '../base/ids.ts';
import type { Manifest } from '../recovery/manifest.ts';
import { refuseExisting, writeNewFile } from '../recovery/rows.ts';
import { announceReading } from '../recovery/shared-lock.ts';
import { checkRoom } from '../recovery/target.ts';
import { type DownloadedEntry, type OpenedDirectory, openDirectory } from './download.ts';
import { FORMAT, README, SUMS, wholeLine } from './package/layout.ts';
import { packageReadme } from './package/readme.ts';
import { SumBook } from './package/sum-book.ts';
import { TAR_END, tarMembers } from './package/tar-writer.ts';
import { tellLacking } from './restore/assembly.ts';
import { findPoints } from './restore/find-point.ts';
import type { Session } from './session.ts';

export interface PackageInput {
  readonly app: string;
  /** An id, its first digits, or `latest`. */
  readonly point: string;
  readonly programVersion: string;
}

export interface OpenedPackage {
  readonly point: Id;
  readonly app: string;
  /** RFC 3339. */
  readonly time: string;
  /** The directory in it, and what its file is called without the ending. */
  readonly name: string;
  /** Bytes of all files; the package is a little larger. */
  readonly plainBytes: number;
  readonly files: number;
  /** The package, verified as it is read; once. */
  bytes(): AsyncGenerator<Buffer>;
}

export interface ExportInput extends PackageInput {
  /** Absolute; absent: `onBytes` gets everything. */
  readonly file?: string;
  readonly onBytes: (bytes: Buffer) => Promise<void>;
}

export interface ExportOutcome {
  readonly app: string;
  readonly point: Id;
  readonly short_id: string;
  readonly time: string;
  /** Null when it was printed. */
  readonly file: string | null;
  readonly bytes: number;
  /** Of all of the file. */
  readonly sha256: string;
  readonly duration_s: number;
}

/** Throws `point_unknown`, and `data_damaged` for a point without a manifest; what is wrong with its data is thrown while it is read. */
export async function openPackage(session: Session, input: PackageInput): Promise<OpenedPackage> {
  const { points, candidates } = await findPoints(session, input.app, [input.point]);
  const opened = points[0]!;
  const { stored, manifest } = opened;
  const another = (others: string) => `A package is one point. Export another with --point. The newest with ${others}.`;
  if (input.point === 'latest') tellLacking(session.progress, opened, candidates, another);
  if (manifest === undefined)
    throw new Failure('data_damaged', `Point ${shortId(stored.id)} has no manifest that can be read.`, {
      hint: 'Run "holdfast check", then "holdfast sync".',
    });
  const directory = await openDirectory(session, { app: input.app, point: stored.id, path: '' });
  const name = `${input.app}-${shortId(stored.id)}`;
  const readme = packageReadme({
    ...{ manifest, point: stored.id, directory: name, programVersion: input.programVersion },
  });
  return {
    ...{ point: stored.id, app: input.app, time: manifest.time, name, ...totalsOf(manifest) },
    bytes: () => packageBytes(session, { directory, name, readme, time: manifest.time }),
  };
}

/** Throws `target_exists`, `target_full`, `output_failed`, and what `openPackage` throws. */
export async function exportPackage(session: Session, input: ExportInput): Promise<ExportOutcome> {
  const { clock, progress } = session;
  const started = clock.monotonic();
  const { file, onBytes } = input;
  if (file !== undefined) await refuseExisting(file);
  const opened = await openPackage(session, input);
  if (file !== undefined) await checkRoom(dirname(file), opened.plainBytes, 1, 'the export');
  const step = 'export';
  progress({ type: 'step', step, title: 'exporting', totalBytes: opened.plainBytes });
  const whole = createHash('sha256');
  let bytes = 0;
  const counted = async function* () {
    for await (const part of opened.bytes()) {
      whole.update(part);
      bytes += part.length;
      progress({ type: 'advance', step, bytes: Math.min(bytes, opened.plainBytes) });
      yield part;
    }
  };
  if (file === undefined) for await (const part of counted()) await onBytes(part);
  else await writeNewFile(file, counted());
  progress({ type: 'done', step, outcome: 'done' });
  return {
    ...{ app: input.app, point: opened.point, short_id: shortId(opened.point), time: opened.time },
    ...{ file: file ?? null, bytes, sha256: whole.digest('hex') },
    duration_s: (clock.monotonic() - started) / 1000,
  };
}

interface Contents {
  readonly directory: OpenedDirectory;
  readonly name: string;
  readonly readme: string;
  readonly time: string;
}

async function* packageBytes(session: Session, contents: Contents): AsyncGenerator<Buffer> {
  const { directory, name, readme, time } = contents;
  const prefix = Buffer.from(name);
  const mtimeNs = BigInt(Date.parse(time)) * 1_000_000n;
  await using lock = await announceReading(session);
  await using sums = await SumBook.open();
  await lock.settled();
  await sums.remark(FORMAT);
  const whole = createHash('sha256');
  let length = 0;
  for await (const part of tarMembers(members(directory, readme, mtimeNs, sums), prefix)) {
    whole.update(part);
    length += part.length;
    yield part;
  }
  await sums.remark(wholeLine(length, whole.digest('hex')));
  yield* tarMembers(only(ownFile(SUMS, sums.size, mtimeNs, () => sums.read())), prefix);
  yield TAR_END;
}

/** What stands before the checksums; each file notes its own once it was read. */
async function* members(
  directory: OpenedDirectory,
  readme: string,
  mtimeNs: bigint,
  sums: SumBook,
): AsyncGenerator<DownloadedEntry> {
  const page = Buffer.from(readme);
  yield summed(
    ownFile(README, page.length, mtimeNs, async function* () {
      yield page;
    }),
    sums,
  );
  for await (const entry of directory.entries()) {
    if (entry.type === 'file') yield summed(entry, sums);
    else if (entry.type === 'dir' || entry.type === 'symlink') yield entry;
  }
}

function summed(entry: DownloadedEntry, sums: SumBook): DownloadedEntry {
  return {
    ...entry,
    async *read() {
      const hash = createHash('sha256');
      for await (const part of entry.read()) {
        hash.update(part);
        yield part;
      }
      await sums.add(entry.path, hash.digest('hex'));
    },
  };
}

function ownFile(name: string, size: number, mtimeNs: bigint, read: () => AsyncGenerator<Buffer>): DownloadedEntry {
  return { path: Buffer.from(name), type: 'file', mode: 0o600, uid: 0, gid: 0, mtimeNs, size, read };
}

async function* only<T>(value: T): AsyncGenerator<T> {
  yield value;
}

function totalsOf({ sources }: Manifest): { readonly plainBytes: number; readonly files: number } {
  const totals = Object.values(sources).map((source) => source.totals);
  return {
    plainBytes: totals.reduce((sum, { bytes }) => sum + bytes, 0),
    files: totals.reduce((sum, { files }) => sum + files, 0),
  };
}
