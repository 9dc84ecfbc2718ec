/** What would be lost if the server died now. Pure. */
import { formatBytes } from '../../base/sizes.ts';
import type { Lsn } from '../../postgres/lsn.ts';

export interface Loss {
  /** At most so many seconds of commits; null where that cannot be told. */
  readonly seconds: number | null;
  readonly because: string;
}

export interface LossFacts {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Where the archived log ends, and its latest commit in microseconds; undefined: nothing leads to a restorable moment. */
  readonly archived: { readonly end: Lsn; readonly lastCommit: bigint | undefined } | undefined;
  /** Undefined when the server does not answer. */
  readonly server: { readonly position: Lsn } | undefined;
  /** The latest commit that a running stream has received, in microseconds; undefined without one. */
  readonly received: bigint | undefined;
}

/**
 * The server may be ahead without a commit that is not archived; where a running stream knows the latest commit, that counts. Else the time
 * since the latest archived commit is the bound.
 */
export function lossOf({ now, archived, server, received }: LossFacts): Loss {
  if (archived === undefined) return { seconds: null, because: 'no archived log goes on from a base backup' };
  const { end, lastCommit } = archived;
  const behind = server === undefined ? undefined : server.position - end;
  if (behind !== undefined && behind <= 0n)
    return { seconds: 0, because: 'everything the server has written is archived' };
  if (behind !== undefined && received !== undefined && lastCommit !== undefined && received <= lastCommit)
    return { seconds: 0, because: 'every commit is archived' };
  const bytes =
    behind === undefined ? 'the server does not answer' : `${formatBytes(Number(behind))} are not archived yet`;
  if (lastCommit === undefined) return { seconds: null, because: `${bytes}, and no commit is archived` };
  const seconds = Math.max(0, now - Number(lastCommit / 1000n)) / 1000;
  return { seconds, because: `${bytes}; at most what came after the latest archived commit` };
}
