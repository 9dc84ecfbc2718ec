/** The rows of each table, as expressions over the number of a row. */
import { sql } from 'kysely';
import { oneOf, padded, type Series, type Sql } from './series.ts';

/** How many rows a table gets: as many as that kind of thing has. */
export interface Counts {
  readonly runs: number;
  readonly points: number;
  readonly events: number;
  readonly alerts: number;
  readonly schedules: number;
}

export interface Table {
  readonly name: string;
  readonly count: keyof Counts;
  /** What the rows are spread over, in days. */
  readonly days: number;
  readonly columns: (series: Series) => Readonly<Record<string, Sql>>;
}

export const APPS = 100;
export const SCHEDULES = 100;

/** Different primes: what app a row is of says nothing of its kind or state. */
const app = sql`'app' || (n % 1009 % ${sql.lit(APPS)})`;
const outOf100 = sql`(n % 1013 % 100)`;
const kind = oneOf('prove', 'check', 'prune', 'backup', 'backup');
const point = padded(64);
/** Runs of one schedule: every hundredth. */
export const scheduleId = (n: number) => n.toString().padStart(26, '0');
const schedule = sql`substr('00000000000000000000000000' || (n % ${sql.lit(SCHEDULES)}), length('' || (n % ${sql.lit(SCHEDULES)})) + 1)`;
const OUTCOME = JSON.stringify({
  ...{ point: 'f'.repeat(64), files_new: 120, files_changed: 14, files_unmodified: 48_211, bytes_read: 123_456_789 },
  ...{ bytes_stored: 4_567_890, duration_s: 12.5, storages: ['local', 's3'], partial: false },
});

export const TABLES: readonly Table[] = [
  {
    ...{ name: 'runs', count: 'runs', days: 1_000 },
    columns: ({ id, time }) => ({
      ...{ id, app, kind, params: sql`'{}'`, labels: sql`'{}'`, priority: sql`0`, trigger: sql`'schedule'` },
      state: sql`case when ${outOf100} = 7 then 'failed' when n % 1021 = 11 then 'skipped' else 'succeeded' end`,
      ...{ schedule_id: schedule, scheduled_for: time, not_before: time, created_at: time },
      ...{ started_at: sql`${time} + 200`, finished_at: sql`${time} + 12700`, worker: sql`'worker-1'` },
      ...{ attempt: sql`1`, max_attempts: sql`3`, fence: sql`1`, cancel_requested: sql`0` },
      outcome: sql.lit(OUTCOME),
      error_code: sql`case when ${outOf100} = 7 then 'storage_unreachable' end`,
      error_message: sql`case when ${outOf100} = 7 then 'The storage "s3" could not be reached.' end`,
    }),
  },
  {
    ...{ name: 'points', count: 'points', days: 1_000 },
    columns: ({ time }) => ({
      ...{ id: point, app, time, bytes: sql`n * 1000`, seen_at: time },
      proof: sql`case when ${outOf100} < 2 then 'restored' else 'stored' end`,
      pinned: sql`case when n % 1021 = 13 then 1 else 0 end`,
      ...{ sources: sql`'["db","media"]'`, storages: sql`'["local","s3"]'` },
    }),
  },
  {
    ...{ name: 'events', count: 'events', days: 13 },
    columns: ({ id, time }) => ({
      ...{ at: time, type: oneOf('run.created', 'run.started', 'run.progress', 'run.finished'), app, run_id: id },
      data: sql`'{"kind":"backup","state":"succeeded","attempt":1}'`,
    }),
  },
  {
    ...{ name: 'audit', count: 'events', days: 1_000 },
    columns: ({ time }) => ({
      ...{
        seq: sql`n`,
        at: time,
        actor: sql`'user:person' || (n % 20)`,
        action: oneOf('login', 'createRun', 'pinPoint'),
      },
      ...{ target: sql`'/api/v1/runs/' || n`, app, address: sql`'192.0.2.7'`, details: sql`'{}'` },
      outcome: sql`case when ${outOf100} = 3 then 'refused' else 'ok' end`,
      ...{ previous: point, hash: point },
    }),
  },
  {
    ...{ name: 'measurements', count: 'events', days: 29 },
    columns: ({ time }) => ({
      ...{ name: oneOf('backup_seconds', 'backup_bytes', 'backup_seconds'), app, storage: sql`''` },
      ...{ at: time, value: sql`n` },
    }),
  },
  {
    ...{ name: 'alerts', count: 'alerts', days: 360 },
    columns: ({ id, time }) => ({
      ...{ id, rule: oneOf('backup_failure', 'storage_behind', 'proof_too_old'), cause: sql`'cause:' || n`, app },
      severity: oneOf('WARNING', 'ERROR', 'CRITICAL', 'INFO'),
      state: sql`case when ${outOf100} = 1 then 'ACTIVE' else 'RESOLVED' end`,
      ...{ storage: oneOf('local', 's3'), title: sql`'Backup of an app failed'`, details: sql`'{"after_h":26}'` },
      ...{ message: sql`'The last three runs failed.'`, count: sql`3`, first_at: time, last_at: time },
      ...{ resolved_at: sql`case when ${outOf100} = 1 then null else ${time} end`, escalation: sql`0` },
      freezes_retention: sql`0`,
    }),
  },
  {
    ...{ name: 'deliveries', count: 'alerts', days: 89 },
    columns: ({ id, time }) => ({
      ...{ id, alert_id: id, channel: oneOf('mail', 'chat', 'pager'), event: oneOf('fire', 'resolve') },
      ...{ state: sql`case when ${outOf100} < 2 then 'failed' else 'sent' end`, attempts: sql`1` },
      ...{ next_at: time, created_at: time, sent_at: time, status: sql`'250'` },
      body: sql`'{"subject":"Backup of an app failed","text":"The last three runs failed."}'`,
    }),
  },
  {
    ...{ name: 'approvals', count: 'schedules', days: 360 },
    columns: ({ id, time }) => ({
      ...{ id, action: sql`'restore'`, app, params: sql`'{}'`, state: sql`'approved'`, requested_by: sql`'user'` },
      ...{ requested_at: time, expires_at: time, decided_by: sql`'other'`, decided_at: time },
    }),
  },
  {
    ...{ name: 'schedules', count: 'schedules', days: 30 },
    columns: ({ time }) => ({
      ...{ id: schedule, app, kind, name: sql`'schedule' || n`, params: sql`'{}'`, cron: sql`'0 2 * * *'` },
      ...{ timezone: sql`'Europe/Madrid'`, jitter_ms: sql`300000`, catch_up: sql`1`, blackout: sql`'[]'` },
      ...{
        priority: sql`0`,
        retries: sql`3`,
        labels: sql`'{}'`,
        enabled: sql`case when ${outOf100} < 10 then 0 else 1 end`,
      },
      ...{ origin: sql`'api'`, version: sql`1`, evaluated_until: sql`${time} + 31536000000` },
      ...{ next_at: sql`${time} + 31536000000`, created_at: time, updated_at: time },
    }),
  },
];
