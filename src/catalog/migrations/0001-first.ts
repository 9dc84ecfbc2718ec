/** The first form of the catalog. Never edited after a release: a change is the next migration. */
import { type CreateTableBuilder, type Kysely, PostgresAdapter, type RawBuilder, sql } from 'kysely';

const TYPES = { text: 'text', integer: 'integer', bigint: 'bigint', double: 'double precision' } as const;

// biome-ignore lint/suspicious/noExplicitAny: a migration works on tables of its own time, not on today's types
type Database = Kysely<any>;

export async function up(db: Database): Promise<void> {
  await table(
    db,
    'runs',
    ['id'],
    `id text, app text, kind text, params text, state text, priority integer, trigger text, reason? text, requested_by?
    text, schedule_id? text, scheduled_for? bigint, after_run? text, labels text, exclusive? text, dedupe? text,
    not_before bigint, attempt integer, max_attempts integer, time_limit_ms? bigint, created_at bigint, started_at?
    bigint, finished_at? bigint, worker? text, fence bigint, lease_until? bigint, cancel_requested integer,
    cancelled_by? text, progress? text, outcome? text, error_code? text, error_message? text, error_hint? text`,
  );
  await table(
    db,
    'run_steps',
    ['run_id', 'attempt', 'seq'],
    `run_id text, attempt integer, seq bigint, step text, title text, state text, started_at bigint, finished_at?
    bigint, bytes? bigint, items? bigint, total_bytes? bigint, total_items? bigint, message? text`,
  );
  await table(
    db,
    'run_log',
    ['run_id', 'seq'],
    `run_id text, seq bigint, attempt integer, at bigint, level text, message text, data? text`,
  );
  await table(
    db,
    'run_inputs',
    ['run_id', 'seq'],
    `run_id text, seq bigint, at bigint, by text, kind text, step? text, text? text`,
  );
  await journal(db, 'events', `at bigint, type text, app? text, run_id? text, data text`);
  await table(
    db,
    'schedules',
    ['id'],
    `id text, app text, kind text, name text, params text, cron text, timezone text, jitter_ms bigint, catch_up
    integer, blackout text, after_schedule? text, priority integer, retries integer, time_limit_ms? bigint, labels
    text, enabled integer, origin text, version integer, evaluated_until bigint, next_at? bigint, last_run? text,
    created_at bigint, updated_at bigint`,
  );
  await table(
    db,
    'points',
    ['id'],
    `id text, app text, time bigint, label? text, bytes bigint, bytes_stored? bigint, proof text, pinned integer,
    sources text, storages text, run_id? text, seen_at bigint`,
  );
  await table(
    db,
    'measurements',
    ['name', 'app', 'storage', 'at'],
    `name text, app text, storage text, at bigint, value double`,
  );
  await table(
    db,
    'ledger',
    ['storage', 'object'],
    `storage text, object text, size bigint, checked_at bigint, good integer`,
  );
  await table(
    db,
    'workers',
    ['id'],
    `id text, name text, labels text, role text, version text, started_at bigint, seen_at bigint`,
  );
  await table(db, 'leases', ['name'], `name text, holder text, fence bigint, until bigint`);
  await table(
    db,
    'alerts',
    ['id'],
    `id text, rule text, cause text, severity text, state text, app? text, storage? text, run_id? text, title text,
    message text, details text, count integer, first_at bigint, last_at bigint, acknowledged_by? text,
    acknowledged_at? bigint, acknowledge_note? text, resolved_by? text, resolved_at? bigint, resolve_note? text,
    muted_until? bigint, muted_by? text, escalation integer, escalate_at? bigint, freezes_retention integer, evidence?
    text`,
  );
  await table(
    db,
    'deliveries',
    ['id'],
    `id text, alert_id? text, channel text, event text, state text, digest? text, attempts integer, next_at bigint, created_at
    bigint, sent_at? bigint, body text, status? text, error? text`,
  );
  await table(
    db,
    'mutes',
    ['id'],
    `id text, matches text, until bigint, reason? text, created_by text, created_at bigint`,
  );
  await table(
    db,
    'users',
    ['id'],
    `id text, name text, email? text, password? text, totp_secret? text, totp_pending? text, totp_step? bigint,
    recovery_codes text, oidc_subject? text, disabled integer, created_at bigint, updated_at bigint`,
  );
  await table(db, 'grants', ['user_id', 'app'], `user_id text, app text, role text`);
  await table(
    db,
    'sessions',
    ['hash'],
    `hash text, id text, user_id text, csrf text, created_at bigint, seen_at bigint, expires_at bigint, address? text,
    agent? text`,
  );
  await table(
    db,
    'login_limits',
    ['bucket'],
    `bucket text, failures integer, last_at bigint, until bigint, succeeded_at? bigint`,
  );
  await table(db, 'oidc_logins', ['state'], `state text, browser text, nonce text, verifier text, expires_at bigint`);
  await table(
    db,
    'tokens',
    ['id'],
    `id text, name text, hash text, user_id? text, role text, apps text, scopes text, created_by text, created_at
    bigint, expires_at? bigint, used_at? bigint, revoked_at? bigint`,
  );
  await table(
    db,
    'audit',
    ['seq'],
    `seq bigint, at bigint, actor text, action text, target? text, app? text, address? text, outcome text, details
    text, previous text, hash text`,
  );
  await table(
    db,
    'approvals',
    ['id'],
    `id text, action text, app? text, params text, reason? text, state text, requested_by text, requested_at bigint,
    expires_at bigint, decided_by? text, decided_at? bigint, run_id? text`,
  );
  await table(
    db,
    'idempotency',
    ['actor', 'key'],
    `actor text, key text, request text, status? integer, headers? text, body? text, created_at bigint`,
  );
  await table(db, 'catalog_values', ['key'], `key text, value text`);
  await index(db, 'runs', 'runs_by_age', ['app', 'id']);
  await index(db, 'runs', 'runs_by_outcome', ['app', 'kind', 'state', 'id']);
  await index(db, 'runs', 'runs_by_state', ['state', 'id']);
  await index(db, 'runs', 'runs_by_kind', ['kind', 'id']);
  await index(db, 'runs', 'runs_by_app_and_kind', ['app', 'kind', 'id']);
  await index(db, 'runs', 'runs_by_app_and_state', ['app', 'state', 'id']);
  await index(db, 'runs', 'runs_by_kind_and_state', ['kind', 'state', 'id']);
  // Said so that SQLite does not take runs_by_state for it, which knows no order.
  const queued = { where: sql`state || '' = 'queued'` };
  await index(db, 'runs', 'runs_to_claim', ['priority desc', 'not_before', 'id'], queued);
  await index(db, 'runs', 'runs_by_start', ['not_before'], queued);
  await index(db, 'runs', 'runs_by_labels', ['labels'], queued);
  await index(db, 'runs', 'runs_waiting', ['after_run'], { where: sql`state = 'waiting'` });
  await index(db, 'runs', 'runs_leased', ['lease_until'], { where: sql`state = 'running'` });
  await index(db, 'runs', 'runs_one_writer', ['exclusive'], {
    unique: true,
    where: sql`state = 'running' and exclusive is not null`,
  });
  await index(db, 'runs', 'runs_asked_once', ['dedupe'], { unique: true, where: sql`dedupe is not null` });
  await index(db, 'runs', 'runs_of_schedule', ['schedule_id', 'id']);
  await index(db, 'runs', 'runs_of_schedule_by_state', ['schedule_id', 'state', 'id']);
  await index(db, 'schedules', 'schedules_due', ['enabled', 'next_at']);
  await index(db, 'schedules', 'schedules_by_name', ['app', 'name', 'id']);
  await index(db, 'points', 'points_by_time', ['app', 'time', 'id']);
  await index(db, 'points', 'points_all_by_time', ['time', 'id']);
  await index(db, 'points', 'points_by_pin', ['pinned', 'time', 'id']);
  await index(db, 'points', 'points_by_proof', ['proof', 'time', 'id']);
  await index(db, 'points', 'points_by_app_and_pin', ['app', 'pinned', 'time', 'id']);
  await index(db, 'points', 'points_by_app_and_proof', ['app', 'proof', 'time', 'id']);
  await index(db, 'events', 'events_by_time', ['at']);
  await index(db, 'events', 'events_by_type', ['type', 'seq']);
  await index(db, 'events', 'events_by_app', ['app', 'seq']);
  await index(db, 'events', 'events_of_run', ['run_id', 'seq']);
  await index(db, 'measurements', 'measurements_by_time', ['at']);
  await index(db, 'ledger', 'ledger_by_age', ['storage', 'checked_at']);
  await index(db, 'alerts', 'alerts_one_per_cause', ['cause'], { unique: true, where: sql`state <> 'RESOLVED'` });
  await index(db, 'alerts', 'alerts_by_state', ['state', 'id']);
  await index(db, 'alerts', 'alerts_by_cause', ['cause', 'id']);
  await index(db, 'alerts', 'alerts_by_app', ['app', 'id']);
  await index(db, 'alerts', 'alerts_by_rule', ['rule', 'id']);
  await index(db, 'alerts', 'alerts_by_severity', ['severity', 'id']);
  await index(db, 'alerts', 'alerts_by_storage', ['storage', 'id']);
  await index(db, 'alerts', 'alerts_to_escalate', ['escalate_at'], { where: sql`state = 'ACTIVE'` });
  await index(db, 'deliveries', 'deliveries_due', ['next_at'], { where: sql`state = 'pending'` });
  await index(db, 'deliveries', 'deliveries_of_alert', ['alert_id', 'id']);
  await index(db, 'deliveries', 'deliveries_by_channel', ['channel', 'id']);
  await index(db, 'deliveries', 'deliveries_by_state', ['state', 'id']);
  await index(db, 'deliveries', 'deliveries_of_digest', ['digest'], { where: sql`digest is not null` });
  await index(db, 'deliveries', 'deliveries_of_channel', ['channel', 'created_at']);
  await index(db, 'users', 'users_by_name', ['name'], { unique: true });
  await index(db, 'users', 'users_by_subject', ['oidc_subject'], {
    unique: true,
    where: sql`oidc_subject is not null`,
  });
  await index(db, 'sessions', 'sessions_of_user', ['user_id']);
  await index(db, 'tokens', 'tokens_by_hash', ['hash'], { unique: true });
  await index(db, 'approvals', 'approvals_by_state', ['state', 'id']);
  await index(db, 'audit', 'audit_by_time', ['at']);
  await index(db, 'audit', 'audit_by_actor', ['actor', 'seq']);
  await index(db, 'audit', 'audit_by_action', ['action', 'seq']);
  await index(db, 'audit', 'audit_by_app', ['app', 'seq']);
  await index(db, 'audit', 'audit_by_outcome', ['outcome', 'seq']);
  await index(db, 'audit', 'audit_by_app_and_outcome', ['app', 'outcome', 'seq']);
  await index(db, 'idempotency', 'idempotency_by_age', ['created_at']);
}

/** `columns`: "name type" each, a question mark where there may be no value. */
async function table(db: Database, name: string, key: readonly string[], columns: string): Promise<void> {
  await withColumns(db, db.schema.createTable(name), columns)
    .addPrimaryKeyConstraint(`${name}_key`, [...key] as never[])
    .execute();
}

/** A table whose `seq` grows by itself and is never given twice. */
async function journal(db: Database, name: string, columns: string): Promise<void> {
  const serial = onPostgres(db);
  const numbered = db.schema
    .createTable(name)
    .addColumn('seq', serial ? 'bigserial' : 'integer', (col) =>
      serial ? col.primaryKey() : col.primaryKey().autoIncrement(),
    );
  await withColumns(db, numbered, columns).execute();
}

function withColumns(db: Database, builder: CreateTableBuilder<string>, columns: string): CreateTableBuilder<string> {
  return columns.split(',').reduce((made, column) => {
    const [name = '', type = ''] = column.trim().split(/\s+/);
    const nullable = name.endsWith('?');
    return made.addColumn(nullable ? name.slice(0, -1) : name, typeOf(db, type), (col) =>
      nullable ? col : col.notNull(),
    ) as CreateTableBuilder<string>;
  }, builder);
}

/** Text sorts by its bytes on PostgreSQL too, as it does on SQLite. */
function typeOf(db: Database, type: string) {
  if (type === 'text' && onPostgres(db)) return sql`text collate "C"`;
  return TYPES[type as keyof typeof TYPES];
}

function onPostgres(db: Database): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

interface IndexOptions {
  readonly unique?: boolean;
  readonly where?: RawBuilder<unknown>;
}

async function index(db: Database, on: string, name: string, columns: readonly string[], options: IndexOptions = {}) {
  const kind = options.unique === true ? sql`unique index` : sql`index`;
  const only = options.where === undefined ? sql`` : sql` where ${options.where}`;
  const names = sql.join(columns.map((column) => keyPart(column)));
  await sql`create ${kind} ${sql.ref(name)} on ${sql.table(on)} (${names})${only}`.execute(db);
}

/** A column of an index: its name, or "name desc". */
function keyPart(column: string): RawBuilder<unknown> {
  const [name = '', order = ''] = column.split(' ');
  return sql`${sql.ref(name)} ${sql.raw(order)}`;
}
