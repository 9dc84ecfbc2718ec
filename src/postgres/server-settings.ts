/** What is asked of a server before a backup: its version, its kind, and the settings that decide how WAL comes and what recovery needs. */
import { Failure } from '../base/failure.ts';
import type { SqlSession } from './sql.ts';

export const OLDEST_SUPPORTED = 15;

export interface ServerSetup {
  /** For example `17.10`. */
  readonly version: string;
  /** For example 170010. */
  readonly versionNum: number;
  readonly inRecovery: boolean;
  /** Bytes. */
  readonly walSegmentSize: number;
  /** 0 where the server never gives up on a silent receiver. */
  readonly walSenderTimeoutMs: number;
  readonly synchronousStandbyNames: string;
  /** Whether the server may remove WAL that a slot still needs (max_slot_wal_keep_size). */
  readonly slotWalLimited: boolean;
  /** Whether the server summarises its log for incremental backups; always false before 17. */
  readonly summarizesWal: boolean;
  readonly dataChecksums: boolean;
  /** Whether every change of a page is in the log, also hints: with page checksums or wal_log_hints. */
  readonly logsHints: boolean;
  /** Bytes of a page, and pages of a whole file of a relation. */
  readonly blockSize: number;
  readonly segmentPages: number;
  /** Settings by name: those of CARRIED_SETTINGS that the server knows and the role may see. */
  readonly carried: Readonly<Record<string, string>>;
}

/**
 * Settings that a restored cluster needs from the original: recovery refuses lower limits than WAL was written under, WAL of extensions
 * needs their libraries, and the locale settings change what queries answer.
 */
const CARRIED_SETTINGS: readonly string[] = [
  'max_connections',
  'max_worker_processes',
  'max_wal_senders',
  'max_prepared_transactions',
  'max_locks_per_transaction',
  'wal_level',
  'shared_preload_libraries',
  'DateStyle',
  'TimeZone',
  'lc_messages',
  'lc_monetary',
  'lc_numeric',
  'lc_time',
  'default_text_search_config',
];

const OTHER_SETTINGS: readonly string[] = [
  'server_version',
  'server_version_num',
  'wal_segment_size',
  'wal_sender_timeout',
  'synchronous_standby_names',
  'max_slot_wal_keep_size',
  'summarize_wal',
  'data_checksums',
  'wal_log_hints',
  'block_size',
  'segment_size',
];

/** Reads the set-up; throws Failure `postgres_unsupported` for a server older than 15. */
export async function readServerSetup(sql: SqlSession): Promise<ServerSetup> {
  const rows = await sql.rows(
    'SELECT name, setting, reset_val FROM pg_settings WHERE name = ANY($1)',
    [[...CARRIED_SETTINGS, ...OTHER_SETTINGS]],
    "Reading the server's settings",
  );
  const settings = new Map(
    rows.map((row) => [String(row.name), { reset: String(row.reset_val), raw: String(row.setting) }]),
  );
  const versionNum = Number(settings.get('server_version_num')?.raw);
  const version = settings.get('server_version')?.raw ?? '';
  refuseOldVersion(versionNum, version);
  const [recovery] = await sql.rows('SELECT pg_is_in_recovery() AS standby');
  const carried = CARRIED_SETTINGS.flatMap((name) => {
    // What the session itself set does not count.
    const value = settings.get(name)?.reset;
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    version: version.split(' ')[0] ?? version,
    versionNum,
    inRecovery: recovery?.standby === true,
    walSegmentSize: Number(settings.get('wal_segment_size')?.raw),
    walSenderTimeoutMs: Number(settings.get('wal_sender_timeout')?.raw),
    synchronousStandbyNames: settings.get('synchronous_standby_names')?.raw ?? '',
    slotWalLimited: settings.get('max_slot_wal_keep_size')?.raw !== '-1',
    summarizesWal: settings.get('summarize_wal')?.raw === 'on',
    dataChecksums: settings.get('data_checksums')?.raw === 'on',
    logsHints: ['data_checksums', 'wal_log_hints'].some((name) => settings.get(name)?.raw === 'on'),
    blockSize: Number(settings.get('block_size')?.raw),
    segmentPages: Number(settings.get('segment_size')?.raw),
    carried: Object.fromEntries(carried),
  };
}

function refuseOldVersion(versionNum: number, version: string): void {
  if (versionNum >= OLDEST_SUPPORTED * 10_000) return;
  throw new Failure(
    'postgres_unsupported',
    `PostgreSQL ${version} is too old: ${OLDEST_SUPPORTED} is the oldest supported.`,
    {
      hint: 'Upgrade the server (pg_upgrade), then back it up.',
    },
  );
}
