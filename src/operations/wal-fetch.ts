/**
 * Gives PostgreSQL the file of the WAL archive that its `restore_command` asks for, and fetches the next segments ahead into a directory
 * beside, from where the next calls take them without opening the repository.
 */
import { open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from '../base/failure.ts';
import { makeDirectories } from '../base/make-directories.ts';
import { syncDirectory } from '../base/sync-directory.ts';
import type { Lsn } from '../postgres/lsn.ts';
import { segmentName } from '../postgres/lsn.ts';
import { archivedClusters, WalArchive } from '../wal/archive.ts';
import { findHistory, findSegment, type SegmentAnswer, type SegmentName, wholeSegment } from '../wal/fetch.ts';
import { clusterOf, parseLogFileName } from '../wal/log-file.ts';
import type { Session } from './session.ts';

export interface WalFetchInput {
  /** What `%f` stands for. */
  readonly name: string;
  /** What `%p` stands for, absolute. */
  readonly destination: string;
  /** PostgreSQL runs the command in the data directory: its control file says which cluster is meant. */
  readonly directory: string;
  /** Instead of what the control file says. */
  readonly systemIdentifier?: string;
  /** Whole segments to fetch ahead. */
  readonly prefetch: number;
}

export interface WalFetchOutcome {
  /** `absent` is proved: PostgreSQL may take it for the end of the log. */
  readonly outcome: 'fetched' | 'absent';
  /** The last segment there is: zeros follow what is archived of it. */
  readonly partial: boolean;
  /** Something the operator should know. */
  readonly note?: string;
}

type Found = Extract<SegmentAnswer, { kind: 'found' }>;

/** Beside the destination, so that taking a file from it is a rename. */
const AHEAD_DIRECTORY = '.holdfast-ahead';
const ZEROS = Buffer.alloc(1024 * 1024);

/** Takes the file from those fetched ahead. Needs neither configuration nor storages; false when it is not there. */
export async function takeFetchedAhead({
  name,
  destination,
}: Pick<WalFetchInput, 'name' | 'destination'>): Promise<boolean> {
  if (parseLogFileName(name)?.kind !== 'segment') return false;
  try {
    await rename(join(aheadOf(destination), name), destination);
  } catch {
    return false;
  }
  await syncDirectory(dirname(destination));
  return true;
}

/** Throws for everything but a file that was written and an absence that is proved. */
export async function fetchWal(session: Session, input: WalFetchInput): Promise<WalFetchOutcome> {
  const name = parseLogFileName(input.name);
  const archive = new WalArchive(session.repository, input.systemIdentifier ?? (await clusterMeant(session, input)));
  if (name?.kind === 'history') return fetchHistory(archive, name.timeline, input);
  // PostgreSQL asks for labels of backups when it archives, never to recover.
  if (name === undefined || name.kind === 'backup')
    throw new Failure('usage', `PostgreSQL keeps no WAL in files called "${input.name}".`);
  const answer = await findSegment(archive, { ...name, kind: 'segment' });
  if (answer.kind === 'absent') return absent(input);
  await writeFile(input.destination, (file) => writeSegment(archive, answer, file));
  if (answer.whole) await fetchAhead(archive, name, answer, input).catch(() => session.signal.throwIfAborted());
  return { outcome: 'fetched', partial: !answer.whole };
}

async function fetchHistory(archive: WalArchive, timeline: number, input: WalFetchInput): Promise<WalFetchOutcome> {
  const answer = await findHistory(archive, timeline);
  if (answer.kind === 'absent') return absent(input);
  await writeFile(input.destination, async (file) => void (await file.write(answer.bytes)));
  return { outcome: 'fetched', partial: false, ...(answer.note === undefined ? {} : { note: answer.note }) };
}

/** The recovery is near its end: nothing fetched ahead is left behind. */
async function absent({ destination }: WalFetchInput): Promise<WalFetchOutcome> {
  await rm(aheadOf(destination), { recursive: true, force: true });
  return { outcome: 'absent', partial: false };
}

async function clusterMeant({ repository }: Session, { directory, destination }: WalFetchInput): Promise<string> {
  for (const place of [directory, dirname(dirname(destination))]) {
    const cluster = await clusterOf(place);
    if (cluster !== undefined) return cluster;
  }
  const [only, ...others] = (await archivedClusters(repository)).keys();
  if (only !== undefined && others.length === 0) return only;
  const all = only === undefined ? 'no cluster' : `several clusters (${[only, ...others].join(', ')})`;
  throw new Failure('usage', `There is no data directory at ${directory}, and WAL of ${all} is archived.`, {
    hint: 'Run it in the data directory, as PostgreSQL does, or name the cluster with --cluster.',
  });
}

/** Only whole segments, which never change: what is not there yet is left to be asked for. A problem here is none of the answer's. */
async function fetchAhead(archive: WalArchive, name: SegmentName, answer: Found, input: WalFetchInput): Promise<void> {
  const directory = aheadOf(input.destination);
  if (input.prefetch === 0) return;
  await makeDirectories(directory, 0o700);
  for (const old of await readdir(directory)) if (old <= name.name) await rm(join(directory, old), { force: true });
  for (let i = 1; i <= input.prefetch; i++) {
    const next = parseLogFileName(segmentName(name.timeline, after(answer, i), answer.segmentSize)) as SegmentName;
    const found = wholeSegment(answer.inventory, next);
    if (found?.kind !== 'found') return;
    await writeFile(join(directory, next.name), (file) => writeSegment(archive, found, file));
  }
}

function after({ stretches, segmentSize }: Found, segments: number): Lsn {
  return stretches[0]!.from + BigInt(segments) * BigInt(segmentSize);
}

async function writeSegment(
  archive: WalArchive,
  { inventory, stretches, segmentSize }: Found,
  file: Output,
): Promise<void> {
  let written = 0;
  for (const { timeline, from, to } of stretches)
    for await (const { bytes } of archive.read(timeline, from, to, inventory)) {
      await file.write(bytes);
      written += bytes.length;
    }
  for (; written < segmentSize; written += ZEROS.length) await file.write(ZEROS.subarray(0, segmentSize - written));
}

interface Output {
  write(bytes: Uint8Array): Promise<unknown>;
}

/** The whole file, durable, or none. */
async function writeFile(path: string, write: (file: Output) => Promise<void>): Promise<void> {
  const temporary = `${path}.holdfast`;
  await rm(temporary, { force: true });
  const file = await open(temporary, 'wx', 0o600);
  try {
    await write({ write: (bytes) => file.writev([bytes]) });
    await file.sync();
    await file.close();
    await rename(temporary, path);
  } catch (error) {
    await file.close().catch(() => {});
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

function aheadOf(destination: string): string {
  return join(dirname(destination), AHEAD_DIRECTORY);
}
