/**
 * Takes a file that PostgreSQL's `archive_command` hands over. Done only when as many storages as are asked for hold it durably: the server
 * then removes its own.
 */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from '../base/failure.ts';
import type { PostgresSourceSettings } from '../config/settings.ts';
import { parseConnectionUrl } from '../postgres/connection-settings.ts';
import { segmentName } from '../postgres/lsn.ts';
import { type ClusterIdentity, ReplicationConnection } from '../postgres/replication-connection.ts';
import { WalArchive } from '../wal/archive.ts';
import type { SegmentName } from '../wal/fetch.ts';
import { clusterOf, type LogFileName, parseLogFileName, refused } from '../wal/log-file.ts';
import { inspectSegment, type PushOutcome, pushHistory, pushSegment } from '../wal/push.ts';
import type { Session } from './session.ts';
import { assertKnownCluster, recordCluster } from './wal/clusters.ts';

export interface WalPushInput {
  readonly app: string;
  readonly source: PostgresSourceSettings;
  /** What `%p` stands for, absolute. */
  readonly path: string;
  /** Storages that must hold it. */
  readonly requiredCopies: number;
}

export interface WalPushOutcome extends PushOutcome {
  readonly name: string;
  /** A label of a backup: the archive has no use for it. */
  readonly ignored: boolean;
}

/** How long the server may take to say who it is: it may be shutting down, or waiting for this very file. */
const ASK_MS = 3_000;

/** Throws `wal_refused` for what must not be archived, `too_few_copies` when it is not safe yet. */
export async function pushWal(session: Session, input: WalPushInput): Promise<WalPushOutcome> {
  const name = parseLogFileName(input.path);
  if (name === undefined) throw new Failure('usage', `"${input.path}" is no file that PostgreSQL archives.`);
  if (name.kind === 'backup') return { name: name.name, ignored: true, stored: [], failures: new Map(), bytes: 0 };
  const outcome = name.kind === 'history' ? await history(session, input, name) : await segment(session, input, name);
  if (outcome.stored.length < input.requiredCopies) throw tooFew(name, outcome, input.requiredCopies);
  return { ...outcome, name: name.name, ignored: false };
}

async function segment(session: Session, input: WalPushInput, name: SegmentName): Promise<PushOutcome> {
  await using file = await openFile(input.path);
  const found = await inspectSegment(file, name);
  const { systemIdentifier, segmentSize } = found.header;
  const server = await askServer(session, input.source);
  await admit(session, input, server, { ...found, systemIdentifier, isWhole: name.kind === 'segment' });
  if (found.end <= found.start) return nothing(session);
  const before = join(dirname(input.path), segmentName(name.timeline, found.start - BigInt(segmentSize), segmentSize));
  await using previous = found.start === 0n ? undefined : await openFile(before).catch(() => undefined);
  const archive = new WalArchive(session.repository, systemIdentifier);
  return await pushSegment(archive, { ...found, ...(previous === undefined ? {} : { before: previous }) });
}

async function history(
  session: Session,
  input: WalPushInput,
  { timeline, name }: Extract<LogFileName, { kind: 'history' }>,
): Promise<PushOutcome> {
  const server = await askServer(session, input.source);
  const systemIdentifier = (await clusterOf(dirname(dirname(input.path)))) ?? server?.systemIdentifier;
  if (systemIdentifier === undefined) {
    throw new Failure('usage', `Nobody can tell which cluster ${name} is of.`, {
      hint: 'Hand over the file where it is, in pg_wal of its data directory.',
    });
  }
  await admit(session, input, server, { systemIdentifier, name: { name, timeline }, end: 0n, isWhole: false });
  const bytes = await readFile(input.path);
  return pushHistory(new WalArchive(session.repository, systemIdentifier), { timeline, bytes });
}

/** Who the configured server is; undefined when it does not answer, as while it shuts down. */
async function askServer({ signal }: Session, { url }: PostgresSourceSettings): Promise<ClusterIdentity | undefined> {
  try {
    const within = AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)]);
    await using connection = await ReplicationConnection.open(parseConnectionUrl(url), { signal: within });
    return await connection.identify();
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** Throws `wal_refused` for what does not belong into the archive of this source. */
async function admit(session: Session, input: WalPushInput, server: ClusterIdentity | undefined, handed: Handed) {
  if (server === undefined) return assertKnownCluster(session.repository, input, handed.systemIdentifier);
  assertOfServer(server, handed);
  return recordCluster(session.repository, input, handed.systemIdentifier);
}

interface Handed {
  readonly systemIdentifier: string;
  readonly name: { readonly name: string; readonly timeline: number };
  readonly end: bigint;
  readonly isWhole: boolean;
}

/** What the server of the configuration cannot have written comes from a copy of it, or from another cluster. */
function assertOfServer(server: ClusterIdentity, { systemIdentifier, name, end, isWhole }: Handed): void {
  const hint = 'Give the other server a configuration of its own, or set archive_mode = off there.';
  if (server.systemIdentifier !== systemIdentifier)
    throw refused(
      `${name.name} is of the cluster ${systemIdentifier}; the configured server is ${server.systemIdentifier}.`,
      hint,
    );
  if (server.timeline < name.timeline)
    throw refused(
      `${name.name} is of timeline ${name.timeline}; the configured server is on ${server.timeline}.`,
      hint,
    );
  if (isWhole && server.timeline === name.timeline && server.position < end)
    throw refused(`${name.name} reaches beyond what the configured server has written.`, hint);
}

function tooFew({ name }: LogFileName, { stored, failures }: PushOutcome, required: number): Failure {
  const words = [...failures.values()].map(({ message }) => message).join(' ');
  return new Failure('too_few_copies', `${name}: ${stored.length} of ${required} storages hold it. ${words}`.trim(), {
    hint: 'PostgreSQL keeps the file and tries again.',
  });
}

function nothing({ repository }: Session): PushOutcome {
  return { stored: repository.replicas.map(({ name }) => name), failures: new Map(), bytes: 0 };
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    throw new Failure('source_unreadable', `${path} cannot be read.`, { cause });
  }
}
