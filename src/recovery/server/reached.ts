/** Where a server's recovery ended. */
import type { PostgresInstance } from '../../postgres/instance.ts';
import { SqlSession } from '../../postgres/sql.ts';
import { quietSession } from './stored-settings.ts';

export interface Reached {
  readonly lsn: string;
  /** RFC 3339, UTC, to the microsecond; null when no commit was replayed. */
  readonly commitTime: string | null;
}

/** The position up to which the log was applied, and the time of the last commit in it; also of a server whose recovery is over. */
export async function reachedBy(instance: PostgresInstance, user: string, signal: AbortSignal): Promise<Reached> {
  await using sql = await SqlSession.open(quietSession(instance, user), { signal });
  const [row] = await sql.rows(
    `SELECT coalesce(pg_last_wal_replay_lsn(), pg_current_wal_lsn())::text AS lsn,
            to_char(pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS time`,
  );
  return { lsn: String(row?.lsn), commitTime: typeof row?.time === 'string' ? row.time : null };
}
