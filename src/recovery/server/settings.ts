/**
 * The settings of a server that we start on a restored copy. It has a configuration of its own and reads none of the original's: nothing in it
 * may archive, stream, subscribe, run jobs or load libraries, because the copy holds the addresses and passwords of the living.
 */
import { Failure } from '../../base/failure.ts';
import type { ServerFacts } from '../../postgres/facts.ts';

/** Bounds of a server on a copy, in bytes. */
export interface ServerLimits {
  /** Default 128 MiB. */
  readonly sharedBuffers?: number;
  /** Default 16 MiB. */
  readonly workMem?: number;
  /** Default 128 MiB. */
  readonly maintenanceWorkMem?: number;
}

const MIB = 1024 * 1024;

/** Recovery refuses lower values than those under which the log was written. With the smallest value that is of any use here. */
const RECOVERY_FLOORS: Readonly<Record<string, number>> = {
  max_connections: 20,
  max_worker_processes: 8,
  max_wal_senders: 10,
  max_prepared_transactions: 0,
  max_locks_per_transaction: 64,
};

/** What changes the meaning of queries, and every machine knows. Locale names are not carried: another machine may lack them. */
const CARRIED = ['DateStyle', 'TimeZone', 'default_text_search_config'];

/** Quiet, alone, small, and without regard for the disk: a sandbox that is lost is made again. */
const ALWAYS: Readonly<Record<string, string>> = {
  archive_mode: 'off',
  wal_level: 'replica',
  hot_standby: 'on',
  max_logical_replication_workers: '0',
  shared_preload_libraries: '',
  session_preload_libraries: '',
  local_preload_libraries: '',
  primary_conninfo: '',
  synchronous_standby_names: '',
  autovacuum: 'off',
  ssl: 'off',
  huge_pages: 'off',
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  max_wal_size: '1GB',
  checkpoint_timeout: '1h',
  log_min_messages: 'warning',
  log_checkpoints: 'off',
};

/** Login and DDL triggers of the copy's databases must not run on our account; the setting exists from 17 on. */
const EVENT_TRIGGERS_SINCE = 17;
/** The highest values PostgreSQL takes for the settings above. */
const MAX_LIMIT = 0x3ffff;

/** `facts` are those of the manifest, which came from a storage: what is no number within PostgreSQL's bounds is left out. */
export function quietSettings(
  facts: Pick<ServerFacts, 'settings' | 'versionNum'>,
  limits: ServerLimits = {},
): Record<string, string> {
  const settings: Record<string, string> = { ...ALWAYS };
  for (const name of CARRIED) {
    const value = facts.settings[name];
    if (typeof value === 'string' && !/[\n\r\0]/.test(value)) settings[name] = value;
  }
  for (const [name, floor] of Object.entries(RECOVERY_FLOORS)) {
    const value = Number(facts.settings[name]);
    settings[name] = String(Number.isInteger(value) && value <= MAX_LIMIT ? Math.max(value, floor) : floor);
  }
  if (majorOf(facts) >= EVENT_TRIGGERS_SINCE) settings.event_triggers = 'off';
  settings.shared_buffers = kib(limits.sharedBuffers ?? 128 * MIB);
  settings.work_mem = kib(limits.workMem ?? 16 * MIB);
  settings.maintenance_work_mem = kib(limits.maintenanceWorkMem ?? 128 * MIB);
  return settings;
}

/** For example 17. Throws `postgres_unsupported` for what no supported server says of itself. */
export function majorOf({ versionNum }: Pick<ServerFacts, 'versionNum'>): number {
  const major = Math.floor(Number(versionNum) / 10_000);
  if (major >= 15 && major < 100) return major;
  throw new Failure('postgres_unsupported', `The point says that it holds PostgreSQL ${versionNum}; 15 is the oldest.`);
}

function kib(bytes: number): string {
  return `${Math.max(128, Math.floor(bytes / 1024))}kB`;
}
