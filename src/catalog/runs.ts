/** Runs: asked for, cancelled. How they are listed is in run-list.ts, how a worker takes and ends one in claim.ts. */
import { type Selectable, type SqlBool, sql } from 'kysely';
import { Failure } from '../base/failure.ts';
import { newId } from '../base/ids.ts';
import { type CatalogDb, locking, storable, within } from './database.ts';
import { appendEvent } from './events.ts';
import { prepared } from './prepared.ts';
import { type Labels, labelText, OVER, type Run, toRun } from './run.ts';
import type { RunsTable } from './schema.ts';

export type { Labels, Run, RunError, RunState } from './run.ts';
export { OVER } from './run.ts';
export {
  anyRunning,
  listRunMarks,
  listRuns,
  type RunFilter,
  type RunMark,
  type RunRow,
  readRunRows,
} from './run-list.ts';

export interface NewRun {
  readonly app: string;
  readonly kind: string;
  readonly params?: Readonly<Record<string, unknown>>;
  /** Higher first; default 0. */
  readonly priority?: number;
  /** schedule, catch-up, dependency, api, cli, healing. */
  readonly trigger: string;
  readonly reason?: string;
  readonly requestedBy?: string;
  readonly scheduleId?: string;
  readonly scheduledFor?: number;
  /** The run that must succeed first. */
  readonly afterRun?: string;
  readonly labels?: Labels;
  readonly exclusive?: string | null;
  /** Asking again with the same text gives the same run. */
  readonly dedupe?: string;
  readonly notBefore?: number;
  /** Default 3. */
  readonly maxAttempts?: number;
  readonly timeLimitMs?: number;
  /** `skipped` records that a due run does not happen; `reason` says why. Otherwise follows from `afterRun`. */
  readonly state?: 'skipped' | 'waiting' | 'queued';
}

const MAX_ATTEMPTS = 3;

/** Makes a run. One that waits for a run that is over already is queued or skipped at once. */
export async function createRun(
  db: CatalogDb,
  run: NewRun,
  now: number,
): Promise<{ readonly run: Run; readonly created: boolean }> {
  return await within(db, async (tx) => {
    const start = run.state === undefined || run.state === 'waiting' ? await firstState(tx, run) : { state: run.state };
    const [inserted] = (await insertRun(tx, newRow(newId(now), { ...run, ...start }, now))).rows;
    if (inserted === undefined) return { run: await sameRun(tx, run), created: false };
    const made = toRun(inserted);
    await tellCreated(tx, made, now);
    return { run: made, created: true };
  });
}

const insertRun = prepared<Selectable<RunsTable>, RunsTable>((db, value) => {
  const columns = Object.keys(newRow('', { app: '', kind: '', trigger: '' }, 0)) as (keyof RunsTable)[];
  const row = Object.fromEntries(columns.map((column) => [column, value(column)])) as unknown as Selectable<RunsTable>;
  return db
    .insertInto('runs')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .returningAll();
});

export async function getRun(db: CatalogDb, id: string): Promise<Run | undefined> {
  const row = await db.selectFrom('runs').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : toRun(row);
}

export type Cancellation = 'cancelled' | 'requested' | 'over' | 'unknown';

/** Ends a run that has not begun, or asks its worker to stop it; what waits for it is skipped. */
export async function cancelRun(db: CatalogDb, id: string, by: string, now: number): Promise<Cancellation> {
  return await within(db, async (tx) => {
    const found = await locking(tx, tx.selectFrom('runs').selectAll().where('id', '=', id)).executeTakeFirst();
    if (found === undefined) return 'unknown';
    if (OVER.includes(found.state)) return 'over';
    const begun = found.state === 'running';
    const change = begun ? {} : { state: 'cancelled' as const, finished_at: now };
    await tx
      .updateTable('runs')
      .set({ ...change, cancel_requested: 1, cancelled_by: storable(by) })
      .where('id', '=', id)
      .execute();
    if (begun) {
      const event = { type: 'run.progress', app: found.app, runId: id, data: { cancelRequested: true } } as const;
      await appendEvent(tx, event, now);
      return 'requested';
    }
    await tellFinished(tx, { ...toRun(found), state: 'cancelled' }, now);
    return 'cancelled';
  });
}

/** Tells that a run is over, and queues or skips what waits for it. */
export async function tellFinished(db: CatalogDb, run: Run, now: number): Promise<void> {
  const { id, app, kind, state, attempt, error } = run;
  const data = { kind, state, attempt, ...(error === undefined ? {} : { code: error.code, message: error.message }) };
  await releaseWaiting(db, run, now);
  await appendEvent(db, { type: 'run.finished', app, runId: id, data }, now);
}

/** What waits for `finished` is queued when that succeeded (also in part), else skipped with the reason, and so on down the chain. */
async function releaseWaiting(db: CatalogDb, finished: Pick<Run, 'id' | 'kind' | 'state'>, now: number) {
  const { state, reason = '' } = afterEnd(finished);
  const first = finished.id;
  const { rows } =
    state === 'skipped' ? await skipWaiting(db, { first, reason, now }) : await queueWaiting(db, { first });
  for (const row of rows) {
    const run = toRun(row);
    if (run.state === 'skipped') await releaseWaiting(db, run, now);
    await tellChange(db, run, now);
  }
}

const queueWaiting = prepared<{ readonly first: string }, RunsTable>((db, value) =>
  db.updateTable('runs').set({ state: 'queued' }).where('after_run', '=', value('first')).where(WAITING).returningAll(),
);

const skipWaiting = prepared<{ readonly first: string; readonly reason: string; readonly now: number }, RunsTable>(
  (db, value) =>
    db
      .updateTable('runs')
      .set({ state: 'skipped', reason: value('reason'), finished_at: value('now') })
      .where('after_run', '=', value('first'))
      .where(WAITING)
      .returningAll(),
);

/** As text, so that the partial index serves. */
const WAITING = sql<SqlBool>`state = 'waiting'`;

async function tellChange(db: CatalogDb, run: Run, now: number): Promise<void> {
  const { id, app, kind, attempt, reason, notBefore, scheduledFor } = run;
  if (run.state === 'skipped') {
    await appendEvent(db, { type: 'run.skipped', app, runId: id, data: { kind, reason, scheduledFor } }, now);
  } else {
    await appendEvent(db, { type: 'run.queued', app, runId: id, data: { kind, attempt, reason, notBefore } }, now);
  }
}

async function tellCreated(db: CatalogDb, run: Run, now: number): Promise<void> {
  if (run.state === 'skipped') return await tellChange(db, run, now);
  const { id, app, kind, state, trigger, scheduleId } = run;
  await appendEvent(db, { type: 'run.created', app, runId: id, data: { kind, state, trigger, scheduleId } }, now);
}

interface Start {
  readonly state: 'waiting' | 'queued' | 'skipped';
  readonly reason?: string;
}

async function firstState(db: CatalogDb, run: NewRun): Promise<Start> {
  if (run.afterRun === undefined) return { state: 'queued' };
  const first = await locking(db, db.selectFrom('runs').selectAll().where('id', '=', run.afterRun)).executeTakeFirst();
  if (first === undefined)
    return { state: 'skipped', reason: `Run ${run.afterRun}, which must come first, is not known.` };
  return OVER.includes(first.state) ? afterEnd(first) : { state: 'waiting' };
}

function afterEnd({ id, kind, state }: Pick<Run, 'id' | 'kind' | 'state'>): Start {
  if (state === 'succeeded' || state === 'partial') return { state: 'queued' };
  return { state: 'skipped', reason: `The ${kind} that must come first (run ${id}) ended as "${state}".` };
}

async function sameRun(db: CatalogDb, run: NewRun): Promise<Run> {
  const row = await db
    .selectFrom('runs')
    .selectAll()
    .where('dedupe', '=', run.dedupe ?? '')
    .executeTakeFirst();
  if (row === undefined) throw new Failure('catalog_failed', 'A run could not be recorded: its id is taken.');
  return toRun(row);
}

function newRow(id: string, run: NewRun, now: number): Selectable<RunsTable> {
  return {
    id,
    app: run.app,
    kind: run.kind,
    params: storable(JSON.stringify(run.params ?? {})),
    state: run.state ?? 'queued',
    priority: run.priority ?? 0,
    trigger: run.trigger,
    reason: text(run.reason),
    requested_by: text(run.requestedBy),
    schedule_id: run.scheduleId ?? null,
    scheduled_for: run.scheduledFor ?? null,
    after_run: run.afterRun ?? null,
    labels: labelText(run.labels ?? {}),
    exclusive: run.exclusive ?? null,
    dedupe: run.dedupe ?? null,
    not_before: run.notBefore ?? now,
    attempt: 1,
    max_attempts: run.maxAttempts ?? MAX_ATTEMPTS,
    time_limit_ms: run.timeLimitMs ?? null,
    created_at: now,
    started_at: null,
    finished_at: run.state === 'skipped' ? now : null,
    worker: null,
    fence: 0,
    lease_until: null,
    cancel_requested: 0,
    cancelled_by: null,
    progress: null,
    outcome: null,
    error_code: null,
    error_message: null,
    error_hint: null,
  };
}

function text(value: string | undefined): string | null {
  return value === undefined ? null : storable(value);
}
