/** From what was found about a database's archive to what is reported. Pure. */
import { type Failure, isFailure } from '../../base/failure.ts';
import { formatMicroseconds } from '../../base/relative-time.ts';
import type { PostgresSourceSettings } from '../../config/settings.ts';
import { formatLsn, parseLsn } from '../../postgres/lsn.ts';
import type { Replica } from '../../repository/replicas.ts';
import type { WalInventory } from '../../wal/archive.ts';
import { type CoveredSpan, commitsBetween, spans } from '../../wal/coverage.ts';
import { type Histories, missingHistories } from '../../wal/timelines.ts';
import { describeStream, type HeardStream } from './describe-stream.ts';
import { lossOf, type ReceivedLog } from './loss.ts';
import type { GapStatus, SourceWalStatus, StorageWalStatus, WindowStatus } from './report.ts';
import type { ServerLog } from './server.ts';
import type { Gap, Window } from './windows.ts';

export interface StatusFacts {
  readonly source: PostgresSourceSettings;
  /** Null while nothing tells which cluster it is. */
  readonly cluster: string | null;
  readonly inventory: WalInventory;
  readonly histories: Histories;
  readonly windows: readonly Window[];
  readonly gaps: readonly Gap[];
  /** Undefined: not asked. */
  readonly server: ServerLog | Failure | undefined;
  readonly stream: HeardStream | null;
  readonly replicas: readonly Replica[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function describeSource(facts: StatusFacts): SourceWalStatus {
  const { source, cluster, inventory, histories, windows, gaps, server, stream } = facts;
  const all = spans(inventory);
  const newest = newestOf(all);
  const log = isFailure(server) ? undefined : server;
  const last = newest && commitsBetween(inventory, newest.timeline, newest.start, newest.end).lastCommit;
  return {
    source: source.name,
    mode: source.wal.mode,
    system_identifier: cluster,
    windows: windows.map(describeWindow),
    gaps: gaps.map((gap) => describeGap(gap, windows)),
    missing_histories: missingHistories(histories, new Set(all.map(({ timeline }) => timeline))),
    archived: newest ? { timeline: newest.timeline, lsn: formatLsn(newest.end), last_commit: timeText(last) } : null,
    server: log === undefined ? null : describeServer(log, cluster, newest),
    server_error: isFailure(server) ? server.message : null,
    loss: describeLoss(facts, log),
    storages: Object.fromEntries([
      ...facts.replicas.map((replica) => [replica.name, describeStorage(facts, replica, newest)] as const),
      ...[...inventory.silent].map(([name, failure]) => [name, silentStorage(failure)] as const),
    ]),
    slot: source.wal.mode === 'stream' ? (log?.slot ?? null) : null,
    stream: stream && describeStream(stream),
  };
}

/** The span in which the log of the newest timeline ends. */
function newestOf(all: readonly CoveredSpan[]): CoveredSpan | undefined {
  return all.at(-1);
}

function describeWindow({ base, bases, lastCommit, timeline, end }: Window): WindowStatus {
  const from = new Date(base.time).toISOString();
  const isLater = lastCommit !== undefined && lastCommit > BigInt(base.time) * 1000n;
  const to = isLater ? formatMicroseconds(lastCommit) : from;
  return { from, to, from_lsn: formatLsn(base.stop), to_lsn: formatLsn(end), timeline, bases };
}

function describeGap({ timeline, start, end, record, next }: Gap, windows: readonly Window[]): GapStatus {
  const before = windows.filter((window) => window.timeline === timeline && window.end <= start);
  const last = before.reduce<Window | undefined>((best, one) => (best && isAfter(best, one) ? best : one), undefined);
  return {
    timeline,
    from_lsn: formatLsn(start),
    to_lsn: end === undefined ? null : formatLsn(end),
    from: last === undefined ? null : describeWindow(last).to,
    to: next === undefined ? null : new Date(next.time).toISOString(),
    next_point: next?.point.id ?? null,
    reason: record?.reason ?? null,
    detail: record?.detail ?? null,
  };
}

function describeServer(
  log: ServerLog,
  cluster: string | null,
  newest: CoveredSpan | undefined,
): SourceWalStatus['server'] {
  const { position, timeline, archiver } = log;
  const lag = newest === undefined || log.systemIdentifier !== cluster ? null : Number(position - newest.end);
  const { lastArchived, failed, lastFailed } = archiver;
  return {
    ...{ lsn: formatLsn(position), timeline, lag_bytes: lag === null ? null : Math.max(0, lag) },
    archive_command: { last_archived: lastArchived, failed, last_failed: lastFailed },
  };
}

/** Only what a base backup leads to counts as archived. */
function describeLoss({ windows, stream, now }: StatusFacts, server: ServerLog | undefined) {
  const newest = windows.reduce<Window | undefined>(
    (best, one) => (best && isAfter(best, one) ? best : one),
    undefined,
  );
  const archived = newest && { end: newest.end, base: BigInt(newest.base.time) * 1000n, newest: newest.newest };
  return lossOf({ now, server, archived, stream: receivedBy(stream, newest?.timeline) });
}

/** What a stream says that speaks, and receives this timeline. The fields of an older program's stream may be absent. */
function receivedBy(stream: HeardStream | null, timeline: number | undefined): ReceivedLog | undefined {
  if (!stream?.alive || stream.timeline !== timeline || !stream.received) return undefined;
  const { received, commitsEnd, level } = stream;
  return {
    received: parseLsn(received),
    commitsEnd: commitsEnd ? parseLsn(commitsEnd) : undefined,
    level: level ?? undefined,
  };
}

function isAfter(a: Window, b: Window): boolean {
  return a.timeline > b.timeline || (a.timeline === b.timeline && a.end >= b.end);
}

function describeStorage(
  { inventory }: StatusFacts,
  { bit }: Replica,
  newest: CoveredSpan | undefined,
): StorageWalStatus {
  const own = newestOf(spans(inventory, bit));
  if (own === undefined) return { timeline: null, lsn: null, last_commit: null, behind_bytes: null, error: null };
  const isNewest = newest?.timeline === own.timeline;
  return {
    timeline: own.timeline,
    lsn: formatLsn(own.end),
    last_commit: timeText(own.lastCommit),
    behind_bytes: isNewest ? Number(newest.end - own.end) : null,
    error: null,
  };
}

function silentStorage({ message }: Failure): StorageWalStatus {
  return { timeline: null, lsn: null, last_commit: null, behind_bytes: null, error: message };
}

function timeText(time: bigint | undefined): string | null {
  return time === undefined ? null : formatMicroseconds(time);
}
