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
  /** The latest commit that a running stream has received; undefined without one. */
  readonly received: bigint | undefined;
}

export interface ArchivedLog {
  readonly end: Lsn;
  /** When the base was made from which it goes on. */
  readonly base: bigint;
  /** Of the newest piece that has commits. */
  readonly newest: CommitRange;
}

/** The server's clock may be ahead of ours by this much (µs); beyond, its times are not believed. */
const SKEW = 60_000_000n;

/**
 * The server may be ahead without a commit that is not archived; where a running stream knows the latest commit, that counts. Else the time
 * since the newest archived commit is the bound. A commit of the future was made under a wrong clock and bounds nothing: then an earlier one
 * counts, or the base.
 */
export function lossOf({ now, archived, server, received }: LossFacts): Loss {
  if (archived === undefined) return { seconds: null, because: 'no archived log goes on from a base backup' };
  const { end, base, newest } = archived;
  const limit = BigInt(Math.trunc(now)) * 1000n + SKEW;
  const isPast = (time: bigint | undefined): time is bigint => time !== undefined && time <= limit;
  const behind = server === undefined ? undefined : server.position - end;
  if (behind !== undefined && behind <= 0n)
    return { seconds: 0, because: 'everything the server has written is archived' };
  const latest = [newest.lastCommit, newest.firstCommit].find((time) => isPast(time) && time > base) ?? base;
  if (behind !== undefined && isPast(received) && received <= latest)
    return { seconds: 0, because: 'every commit is archived' };
  const bytes =
    behind === undefined ? 'the server does not answer' : `${formatBytes(Number(behind))} are not archived yet`;
  const isAhead = newest.lastCommit !== undefined && !isPast(newest.lastCommit);
  const since = isAhead ? 'the newest time in it that is not in the future' : 'the latest archived commit';
  const seconds = Math.max(0, now - Number(latest / 1000n)) / 1000;
  return { seconds, because: `${bytes}; at most what came after ${since}` };
}
