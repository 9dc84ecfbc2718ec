/** What the server's settings and the role's rights mean for physical backups. */

import { quoted } from '../quoting.ts';
import { OLDEST_SUPPORTED } from '../server-settings.ts';
import type { SqlSession } from '../sql.ts';
import { replicationRight } from './connection-findings.ts';
import { type Finding, problem, remark } from './finding.ts';

/** A backup takes one WAL sender for the files and one for the WAL. */
const SENDERS_NEEDED = 2;
const RESTART = 'It takes effect after a restart.';

interface ServerState {
  readonly role: string;
  readonly settings: ReadonlyMap<string, string>;
  readonly mayReplicate: boolean;
  readonly readsSettings: boolean;
  readonly readsStatistics: boolean;
  readonly standby: boolean;
  readonly senders: number;
  readonly slots: number;
}

/** Findings from settings and rights, problems that hide others first. */
export async function serverFindings(sql: SqlSession): Promise<readonly Finding[]> {
  const state = await readState(sql);
  const versionNum = Number(state.settings.get('server_version_num'));
  if (versionNum < OLDEST_SUPPORTED * 10_000) {
    const what = `PostgreSQL ${state.settings.get('server_version')} is not supported: ${OLDEST_SUPPORTED} is the oldest.`;
    return [problem('version_unsupported', what, 'Upgrade the server with pg_upgrade.')];
  }
  return [...walFindings(state), ...slotFindings(state), ...rightFindings(state), ...stateRemarks(state)];
}

function walFindings({ settings, senders, mayReplicate, role }: ServerState): Finding[] {
  const found: Finding[] = [];
  if (!mayReplicate) found.push(replicationRight(role));
  if (settings.get('wal_level') === 'minimal') {
    const what = `wal_level is "minimal": backups of a running server are impossible. ${RESTART}`;
    found.push(problem('wal_level_minimal', what, `ALTER SYSTEM SET wal_level = 'replica';`));
  }
  const limit = Number(settings.get('max_wal_senders'));
  if (limit - senders < SENDERS_NEEDED) {
    const what = `${senders} of ${limit} WAL senders are in use; a backup needs ${SENDERS_NEEDED}. ${RESTART}`;
    const mend = `ALTER SYSTEM SET max_wal_senders = ${Math.max(10, limit + 4)};`;
    found.push(problem(limit === 0 ? 'wal_senders_none' : 'wal_senders_exhausted', what, mend));
  }
  return found;
}

function slotFindings({ settings, slots }: ServerState): Finding[] {
  const found: Finding[] = [];
  const limit = Number(settings.get('max_replication_slots'));
  if (slots >= limit) {
    const what = `${slots} of ${limit} replication slots are in use; a backup needs one while it runs. ${RESTART}`;
    const mend = `ALTER SYSTEM SET max_replication_slots = ${Math.max(10, limit + 4)};`;
    found.push(problem('replication_slots_exhausted', what, mend));
  }
  const keep = settings.get('max_slot_wal_keep_size');
  if (keep !== undefined && keep !== '-1') {
    const what = `max_slot_wal_keep_size is ${keep} MiB: a backup fails when more WAL than that waits for it.`;
    found.push(
      remark('slot_wal_limited', what, 'ALTER SYSTEM SET max_slot_wal_keep_size = -1; SELECT pg_reload_conf();'),
    );
  }
  return found;
}

function rightFindings({ role, readsSettings, readsStatistics }: ServerState): Finding[] {
  if (readsSettings && readsStatistics) return [];
  const what = `Role ${role} cannot see all settings and sizes: the manifest will lack the places of configuration files and some sizes.`;
  return [remark('role_lacks_monitor', what, `GRANT pg_monitor TO ${role};`)];
}

function stateRemarks({ settings, standby }: ServerState): Finding[] {
  const found: Finding[] = [];
  if (settings.get('data_checksums') === 'off') {
    const what =
      'The cluster has no page checksums: damage by the disk is copied into backups unseen. Run this while the server is stopped.';
    found.push(
      remark(
        'data_checksums_off',
        what,
        `pg_checksums --enable -D ${settings.get('data_directory') ?? '<data directory>'}`,
      ),
    );
  }
  if (settings.get('summarize_wal') === 'off') {
    const what = 'summarize_wal is off: every backup reads the whole cluster, not only what changed.';
    found.push(remark('summarize_wal_off', what, 'ALTER SYSTEM SET summarize_wal = on; SELECT pg_reload_conf();'));
  }
  if (standby) {
    const what =
      'The server is a standby: backups start at its last restart point, need full_page_writes on the primary, and fail if it is promoted meanwhile.';
    found.push(remark('standby', what));
  }
  return [...found, ...outsideConfig(settings)];
}

/** Configuration that a base backup does not carry. */
function outsideConfig(settings: ReadonlyMap<string, string>): Finding[] {
  const data = settings.get('data_directory');
  if (!data) return [];
  const files = ['config_file', 'hba_file', 'ident_file'].flatMap((name) => settings.get(name) ?? []);
  const outside = files.filter((file) => !file.startsWith(`${data}/`));
  if (outside.length === 0) return [];
  const what = `Configuration lies outside the data directory (${data}) and is not part of its backup. Add a config source.`;
  return [remark('config_outside', what, `settings: { type: config, paths: [${outside.join(', ')}] }`)];
}

async function readState(sql: SqlSession): Promise<ServerState> {
  const rows = await sql.rows('SELECT name, setting FROM pg_settings');
  const [row] = await sql.rows(
    `SELECT current_user AS role, pg_is_in_recovery() AS standby,
            (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user) AS replication,
            pg_has_role('pg_read_all_settings', 'USAGE') AS reads_settings,
            pg_has_role('pg_read_all_stats', 'USAGE') AS reads_statistics,
            (SELECT count(*)::int FROM pg_stat_replication) AS senders,
            (SELECT count(*)::int FROM pg_replication_slots) AS slots`,
  );
  return {
    role: quoted(String(row?.role)),
    settings: new Map(rows.map(({ name, setting }) => [String(name), String(setting)])),
    mayReplicate: row?.replication === true,
    readsSettings: row?.reads_settings === true,
    readsStatistics: row?.reads_statistics === true,
    standby: row?.standby === true,
    senders: Number(row?.senders),
    slots: Number(row?.slots),
  };
}
