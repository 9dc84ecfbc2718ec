/**
 * The tables of the catalog as Kysely sees them. Portable to SQLite and PostgreSQL: times are milliseconds since the Unix epoch, yes and
 * no are 1 and 0, structured values are JSON text. Numbered migrations make them; this file says what the newest one leaves.
 */
import type { Generated } from 'kysely';
import type {
  ApprovalsTable,
  AuditTable,
  GrantsTable,
  LoginLimitsTable,
  OidcLoginsTable,
  SessionsTable,
  TokensTable,
  UsersTable,
} from './schema/access.ts';
import type { Flag, Json, Time } from './schema/columns.ts';

export type {
  ApprovalsTable,
  AuditTable,
  GrantsTable,
  LoginLimitsTable,
  OidcLoginsTable,
  Role,
  SessionsTable,
  TokensTable,
  UsersTable,
} from './schema/access.ts';

/** waiting (for another run) → queued → running → one of the ends. `skipped`: was due, and did not run for the reason given. */
export type RunState = 'waiting' | 'queued' | 'running' | 'succeeded' | 'partial' | 'failed' | 'cancelled' | 'skipped';

export interface RunsTable {
  /** Sorts by creation. */
  id: string;
  app: string;
  /** What is executed: see the scheduler's kinds. */
  kind: string;
  params: Json;
  state: RunState;
  /** Higher first. */
  priority: number;
  /** Who or what asked: schedule, catch-up, dependency, api, cli, healing. */
  trigger: string;
  reason: string | null;
  requested_by: string | null;
  schedule_id: string | null;
  scheduled_for: Time | null;
  /** The run that must succeed first. */
  after_run: string | null;
  /** Labels a worker must have, JSON object. */
  labels: Json;
  /** At most one running run has it: one writer per source. Null: none needed. */
  exclusive: string | null;
  /** Unique: asking twice for the same gives the same run. */
  dedupe: string | null;
  not_before: Time;
  attempt: number;
  max_attempts: number;
  time_limit_ms: number | null;
  created_at: Time;
  started_at: Time | null;
  finished_at: Time | null;
  worker: string | null;
  /** Grows with every claim; a worker that holds an older one may not write on. */
  fence: number;
  lease_until: Time | null;
  cancel_requested: Flag;
  cancelled_by: string | null;
  progress: Json | null;
  outcome: Json | null;
  error_code: string | null;
  error_message: string | null;
  error_hint: string | null;
}

export interface RunStepsTable {
  run_id: string;
  attempt: number;
  seq: number;
  step: string;
  title: string;
  state: 'running' | 'done' | 'failed' | 'skipped';
  started_at: Time;
  finished_at: Time | null;
  bytes: number | null;
  items: number | null;
  total_bytes: number | null;
  total_items: number | null;
  message: string | null;
}

export interface RunLogTable {
  run_id: string;
  seq: number;
  attempt: number;
  at: Time;
  level: 'debug' | 'info' | 'warning' | 'error';
  message: string;
  data: Json | null;
}

export interface EventsTable {
  /** Grows in the order of commits: whoever has seen n misses nothing with seq > n. */
  seq: Generated<number>;
  at: Time;
  type: string;
  app: string | null;
  run_id: string | null;
  data: Json;
}

export interface SchedulesTable {
  id: string;
  app: string;
  kind: string;
  name: string;
  params: Json;
  cron: string;
  timezone: string;
  jitter_ms: number;
  catch_up: Flag;
  /** JSON array of { from, to, days? } in the schedule's time zone. */
  blackout: Json;
  /** Start after a run of this schedule succeeded, rather than by the clock alone. */
  after_schedule: string | null;
  priority: number;
  retries: number;
  time_limit_ms: number | null;
  labels: Json;
  enabled: Flag;
  /** Entries of the file are read-only elsewhere. */
  origin: 'file' | 'api';
  version: number;
  /** Due times up to here are dealt with. */
  evaluated_until: Time;
  next_at: Time | null;
  last_run: string | null;
  created_at: Time;
  updated_at: Time;
}

/** A cache of what the storages hold. */
export interface PointsTable {
  id: string;
  app: string;
  time: Time;
  label: string | null;
  bytes: number;
  bytes_stored: number | null;
  proof: string;
  pinned: Flag;
  sources: Json;
  storages: Json;
  run_id: string | null;
  seen_at: Time;
}

export interface MeasurementsTable {
  name: string;
  app: string;
  storage: string;
  at: Time;
  value: number;
}

/** When an object of a storage was last read and found good or bad. */
export interface LedgerTable {
  storage: string;
  object: string;
  size: number;
  checked_at: Time;
  good: Flag;
}

export interface WorkersTable {
  id: string;
  name: string;
  labels: Json;
  /** serve or worker. */
  role: string;
  version: string;
  started_at: Time;
  seen_at: Time;
}

/** Parts of the service that one process at a time does. */
export interface LeasesTable {
  name: string;
  holder: string;
  fence: number;
  until: Time;
}

export type AlertState = 'ACTIVE' | 'ACKNOWLEDGED' | 'RESOLVED';
export type Severity = 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL';

export interface AlertsTable {
  id: string;
  rule: string;
  /** The cause; at most one alert that is not resolved has it. */
  cause: string;
  severity: Severity;
  state: AlertState;
  app: string | null;
  storage: string | null;
  run_id: string | null;
  title: string;
  message: string;
  details: Json;
  count: number;
  first_at: Time;
  last_at: Time;
  acknowledged_by: string | null;
  acknowledged_at: Time | null;
  acknowledge_note: string | null;
  /** Null on a resolved alert: its cause went away by itself. */
  resolved_by: string | null;
  resolved_at: Time | null;
  /** What the person said, or what was seen when the cause was gone. */
  resolve_note: string | null;
  muted_until: Time | null;
  muted_by: string | null;
  /** How often it was escalated, and when next. */
  escalation: number;
  escalate_at: Time | null;
  freezes_retention: Flag;
  /** What it was last seen by (a run, a day): the same is not counted twice, nor raised again after a person resolved it. */
  evidence: string | null;
}

export interface DeliveriesTable {
  id: string;
  alert_id: string | null;
  /** Empty: a notice that is not routed yet. */
  channel: string;
  /** fire, worse, acknowledge, resolve, escalate, digest, test, ping. */
  event: string;
  /** grouped: a digest carries it · failed: refused for good · gave-up: tried for as long as was asked. */
  state: 'pending' | 'sent' | 'grouped' | 'failed' | 'gave-up';
  /** The delivery that carries a grouped one. */
  digest: string | null;
  attempts: number;
  next_at: Time;
  created_at: Time;
  sent_at: Time | null;
  /** What was sent, without secrets. */
  body: string;
  status: string | null;
  error: string | null;
}

export interface MutesTable {
  id: string;
  /** JSON: rule?, app?, storage?, severity?. */
  matches: Json;
  until: Time;
  reason: string | null;
  created_by: string;
  created_at: Time;
}

export interface IdempotencyTable {
  actor: string;
  key: string;
  request: string;
  status: number | null;
  headers: Json | null;
  body: string | null;
  created_at: Time;
}

/** What a person said to a run: confirmations of a runbook, pauses, notes. */
export interface RunInputsTable {
  run_id: string;
  seq: number;
  at: Time;
  by: string;
  kind: 'confirm' | 'refuse' | 'pause' | 'resume' | 'note';
  step: string | null;
  text: string | null;
}

/** Single values: identity of the catalog, one-time codes, last heads. */
export interface ValuesTable {
  key: string;
  value: string;
}

export interface CatalogTables {
  runs: RunsTable;
  run_steps: RunStepsTable;
  run_log: RunLogTable;
  run_inputs: RunInputsTable;
  events: EventsTable;
  schedules: SchedulesTable;
  points: PointsTable;
  measurements: MeasurementsTable;
  ledger: LedgerTable;
  workers: WorkersTable;
  leases: LeasesTable;
  alerts: AlertsTable;
  deliveries: DeliveriesTable;
  mutes: MutesTable;
  users: UsersTable;
  grants: GrantsTable;
  sessions: SessionsTable;
  login_limits: LoginLimitsTable;
  oidc_logins: OidcLoginsTable;
  tokens: TokensTable;
  audit: AuditTable;
  approvals: ApprovalsTable;
  idempotency: IdempotencyTable;
  catalog_values: ValuesTable;
}
