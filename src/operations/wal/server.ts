/** What the live server says about its log, for comparison with the archive. */
import { asFailure, type Failure } from '../../base/failure.ts';
import type { PostgresSourceSettings } from '../../config/settings.ts';
import { parseConnectionUrl } from '../../postgres/connection-settings.ts';
import { type Lsn, parseLsn } from '../../postgres/lsn.ts';
import { SqlSession } from '../../postgres/sql.ts';
import { slotName } from '../../postgres/wal-subscription.ts';

export interface SlotState {
  readonly name: string;
  readonly exists: boolean;
  readonly active: boolean;
  /** `reserved`, `extended`, `unreserved`, `lost`; null for one that keeps nothing. */
  readonly wal_status: string | null;
  /** Bytes of log that it makes the server keep. */
  readonly kept_bytes: number | null;
}

export interface ServerLog {
  readonly systemIdentifier: string;
  /** Null on a standby. */
  readonly timeline: number | null;
  readonly position: Lsn;
  readonly slot: SlotState;
  /** What pg_stat_archiver says of archive_command. */
  readonly archiver: {
    readonly lastArchived: string | null;
    readonly failed: number;
    readonly lastFailed: string | null;
  };
}

const PATIENCE_MS = 5_000;
const QUERY = `
  WITH log AS (SELECT r.standby, CASE WHEN r.standby THEN coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) ELSE pg_current_wal_lsn() END AS position
                 FROM (SELECT pg_is_in_recovery() AS standby) r)
  SELECT (SELECT system_identifier::text FROM pg_control_system()) AS cluster, log.position::text AS position,
         CASE WHEN NOT log.standby THEN substr(pg_walfile_name(log.position), 1, 8) END AS timeline,
         s.slot_name::text AS slot, s.active::text AS active, s.wal_status::text AS wal_status,
         greatest(pg_wal_lsn_diff(log.position, s.restart_lsn), 0)::text AS kept,
         a.last_archived_wal AS archived, a.failed_count::text AS failed, a.last_failed_wal AS failed_wal
    FROM log CROSS JOIN pg_stat_archiver a LEFT JOIN pg_replication_slots s ON s.slot_name = $1`;

/** The slot's name as it is on the server. */
export function slotOf(app: string, { name, wal }: PostgresSourceSettings): string {
  return slotName(wal.slot ?? `holdfast_${app}_${name}`);
}

/** Resolves with a Failure when the server does not answer, or may not tell. */
export async function askServerLog(
  app: string,
  source: PostgresSourceSettings,
  signal: AbortSignal,
): Promise<ServerLog | Failure> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  try {
    const connection = parseConnectionUrl(source.url);
    await using session = await SqlSession.open(connection, { signal: within, statementTimeoutMs: PATIENCE_MS });
    const name = slotOf(app, source);
    const [row = {}] = await session.rows(QUERY, [name], 'Asking how far the log is');
    return toLog(name, (column) => (typeof row[column] === 'string' ? (row[column] as string) : null));
  } catch (error) {
    signal.throwIfAborted();
    return asFailure(error, 'postgres_unreachable');
  }
}

function toLog(name: string, text: (column: string) => string | null): ServerLog {
  const timeline = text('timeline');
  return {
    systemIdentifier: text('cluster') ?? '',
    timeline: timeline === null ? null : Number.parseInt(timeline, 16),
    position: parseLsn(text('position') ?? ''),
    slot: {
      name,
      exists: text('slot') !== null,
      active: text('active') === 'true' || text('active') === 't',
      wal_status: text('wal_status'),
      kept_bytes: text('kept') === null ? null : Number(text('kept')),
    },
    archiver: { lastArchived: text('archived'), failed: Number(text('failed') ?? 0), lastFailed: text('failed_wal') },
  };
}
