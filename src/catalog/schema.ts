/**
 * The tables of the catalog as Kysely sees them. Portable to SQLite and PostgreSQL: times are milliseconds since the Unix epoch, yes and
 * no are 1 and 0, structured values are JSON text. Numbered migrations make them; this file says what the newest one leaves.
 */
import type { Generated } from 'kysely';

type Time = number;
type Flag = 0 | 1;
type Json = string;

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

export interface UsersTable {
  id: string;
  name: string;
  email: string | null;
  password: string | null;
  totp_secret: string | null;
  /** Enrolled, and not yet confirmed by a code. */
  totp_pending: string | null;
  /** The last time step used, so that no code works twice. */
  totp_step: number | null;
  /** JSON array of SHA-256 of codes that stand in for a lost device, once each. */
  recovery_codes: Json;
  /** Issuer and subject; accounts of the provider have no password here. */
  oidc_subject: string | null;
  disabled: Flag;
  created_at: Time;
  updated_at: Time;
}

export type Role = 'viewer' | 'operator' | 'administrator';

export interface GrantsTable {
  user_id: string;
  /** Name of an app, or * for all. */
  app: string;
  role: Role;
}

export interface SessionsTable {
  /** SHA-256 of the cookie. */
  hash: string;
  /** By which a person names it, to end it. */
  id: string;
  user_id: string;
  csrf: string;
  created_at: Time;
  seen_at: Time;
  expires_at: Time;
  address: string | null;
  agent: string | null;
}

/** Failed log-ins, counted where every server sees them. */
export interface LoginLimitsTable {
  /** What is counted: an address, an account at an address, an account. */
  bucket: string;
  failures: number;
  last_at: Time;
  /** No attempt is looked at before. */
  until: Time;
  /** The last log-in that went well. */
  succeeded_at: Time | null;
}

/** Log-ins that are on their way through an OpenID provider. */
export interface OidcLoginsTable {
  /** SHA-256 of the state. */
  state: string;
  /** SHA-256 of the cookie of the browser that began. */
  browser: string;
  nonce: string;
  verifier: string;
  expires_at: Time;
}

export interface TokensTable {
  id: string;
  name: string;
  /** SHA-256 of the token. */
  hash: string;
  user_id: string | null;
  role: Role;
  /** JSON array of names of apps, or ["*"]. */
  apps: Json;
  scopes: Json;
  created_by: string;
  created_at: Time;
  expires_at: Time | null;
  used_at: Time | null;
  revoked_at: Time | null;
}

export interface AuditTable {
  seq: number;
  at: Time;
  actor: string;
  action: string;
  target: string | null;
  app: string | null;
  address: string | null;
  outcome: string;
  details: Json;
  previous: string;
  hash: string;
}

/** What waits for a second person. */
export interface ApprovalsTable {
  id: string;
  action: string;
  app: string | null;
  params: Json;
  reason: string | null;
  state: 'pending' | 'approved' | 'refused' | 'expired' | 'cancelled';
  requested_by: string;
  requested_at: Time;
  expires_at: Time;
  decided_by: string | null;
  decided_at: Time | null;
  run_id: string | null;
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
