/** What would be lost if the server died now. Pure. */
import { formatBytes } from '../../base/sizes.ts';
import type { Lsn } from '../../postgres/lsn.ts';
import type { CommitRange } from '../../wal/piece.ts';

export interface Loss {
  /** At most so many seconds of commits; null where that cannot be told. */
  readonly seconds: number | null;
  readonly because: string;
}

/** Times are microseconds since the epoch, except `now`. */
export interface LossFacts {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Undefined: nothing leads to a restorable moment. */
  readonly archived: ArchivedLog | undefined;
  /** Undefined when the server does not answer. */
  readonly server: { readonly position: Lsn } | undefined;
  /** What a running stream says that receives the timeline on which the archive ends; undefined without one. */
  readonly stream: ReceivedLog | undefined;
}

export interface ArchivedLog {
  readonly end: Lsn;
  /** When the base was made from which it goes on. */
  readonly base: bigint;
  /** Of the newest piece that has commits. */
  readonly newest: CommitRange;
}

export interface ReceivedLog {
  readonly received: Lsn;
  /** Every commit in it ends here or before; undefined where that is not known. */
  readonly commitsEnd: Lsn | undefined;
  /** What the server had written at this time (milliseconds since the epoch, by our clock) is in it; undefined where that is not known. */
  readonly level: number | undefined;
}

/** The server's clock may be ahead of ours by this much (µs); beyond, its times are not believed. */
const SKEW = 60_000_000n;

/**
 * The server may be ahead without a commit that is not archived: a running stream knows where the last commit ends, and that counts by its
 * place in the log, because clocks are set back. Else the time since the newest archived commit is the bound. A commit of the future was made
 * under a wrong clock and bounds nothing: then an earlier one counts, or the base.
 */
export function lossOf(facts: LossFacts): Loss {
  const { archived, server, stream } = facts;
  if (archived === undefined) return { seconds: null, because: 'no archived log goes on from a base backup' };
  if (server !== undefined && server.position <= archived.end)
    return { seconds: 0, because: 'everything the server has written is archived' };
  const hasCommits = stream?.commitsEnd !== undefined && stream.commitsEnd <= archived.end;
  if (server !== undefined && hasCommits && server.position <= stream.received)
    return { seconds: 0, because: 'every commit is archived' };
  const byTime = sinceCommit(facts, archived);
  const level = hasCommits ? stream.level : undefined;
  if (level === undefined) return byTime;
  const seconds = Math.max(0, facts.now - level) / 1000;
  return seconds < byTime.seconds
    ? { seconds, because: 'every commit was archived that the server had made when the stream was last level with it' }
    : byTime;
}

function sinceCommit(
  { now, server }: LossFacts,
  { end, base, newest }: ArchivedLog,
): Loss & { readonly seconds: number } {
  const limit = BigInt(Math.trunc(now)) * 1000n + SKEW;
  const isPast = (time: bigint | undefined): time is bigint => time !== undefined && time <= limit;
  const latest = [newest.lastCommit, newest.firstCommit].find((time) => isPast(time) && time > base) ?? base;
  const bytes =
    server === undefined
      ? 'the server does not answer'
      : `${formatBytes(Number(server.position - end))} are not archived yet`;
  const isAhead = newest.lastCommit !== undefined && !isPast(newest.lastCommit);
  const since = isAhead ? 'the newest time in it that is not in the future' : 'the latest archived commit';
  const seconds = Math.max(0, now - Number(latest / 1000n)) / 1000;
  return { seconds, because: `${bytes}; at most what came after ${since}` };
}
