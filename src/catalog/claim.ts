/** How workers take runs, keep them and end them. Every write says which claim it belongs to: who has lost a run cannot change it. */
import { type SqlBool, sql } from 'kysely';
import type { Catalog } from './catalog.ts';
import { type CatalogDb, isDuplicate, locking, onPostgres, storable, within } from './database.ts';
import { appendEvent } from './events.ts';
import { prepared } from './prepared.ts';
import { type Labels, type Run, type RunError, type RunHold, toRun } from './run.ts';
import { getRun, tellFinished } from './runs.ts';
import type { RunsTable } from './schema.ts';

export interface Claimant {
  readonly id: string;
  readonly labels: Labels;
}

export interface RunEnd {
  readonly state: 'succeeded' | 'partial' | 'failed' | 'cancelled';
  readonly outcome?: Readonly<Record<string, unknown>>;
  readonly error?: RunError;
}

/** A claim that another worker beat to the same exclusive work looks again this often. */
const TRIES = 5;

/**
 * The most urgent run that this worker may execute, now its own until `now + leaseMs`; `undefined` when there is none. A run is given to
 * one claimant only; of the runs with the same `exclusive` only one is ever running.
 */
export async function claimRun(
  catalog: Catalog,
  worker: Claimant,
  now: number,
  leaseMs: number,
): Promise<Run | undefined> {
  if (!(await anyStarts(catalog.db, now))) return undefined;
  for (let tries = 1; ; tries++) {
    try {
      return await catalog.transaction((tx) => tryClaim(tx, worker, now, leaseMs));
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      if (tries === TRIES) return undefined; // others are at it; the next look finds what they leave
    }
  }
}

async function tryClaim(db: CatalogDb, worker: Claimant, now: number, leaseMs: number): Promise<Run | undefined> {
  const labels = await labelsWithin(db, worker.labels);
  if (labels.length === 0) return undefined;
  const wanted = onPostgres(db) ? labels : JSON.stringify(labels);
  const mine = { worker: worker.id, now, until: now + leaseMs, labels: wanted };
  const [row] = (await takeFirst(db, mine)).rows;
  if (row === undefined) return undefined;
  const run = toRun(row);
  const data = { kind: run.kind, attempt: run.attempt, worker: worker.id };
  await appendEvent(db, { type: 'run.started', app: run.app, runId: run.id, data }, now);
  return run;
}

interface Take {
  readonly worker: string;
  readonly now: number;
  readonly until: number;
  /** For SQLite as a JSON array. */
  readonly labels: string | readonly string[];
}

const takeFirst = prepared<Take, RunsTable>((db, value) => {
  const labels = value('labels');
  const wanted = onPostgres(db) ? sql`= any(${labels}::text[])` : sql`in (select value from json_each(${labels}))`;
  let candidates = db
    .selectFrom('runs')
    .select('id')
    .where(QUEUED)
    .where(sql<SqlBool>`not_before + 0 <= ${value('now')}`) // as sums, so that the index in the order of the queue is taken
    .where(sql<SqlBool>`labels || '' ${wanted}`)
    .where(FREE)
    .orderBy('priority', 'desc')
    .orderBy('not_before') // what may not start yet stands behind what may, so that the index gives the first at once
    .orderBy('id')
    .limit(1);
  if (onPostgres(db)) candidates = candidates.forUpdate().skipLocked();
  return db
    .updateTable('runs')
    .set({
      ...{ state: 'running' as const, fence: larger(value('now')), worker: value('worker') },
      ...{ lease_until: value('until'), started_at: value('now'), progress: null },
    })
    .where('id', '=', candidates)
    .returningAll();
});

/**
 * The time, where that is larger than one more: a claim that was lost with the end of the log when a standby took over has a number that
 * nobody gets again.
 */
const larger = (now: number) => sql<number>`case when fence < ${now} then ${now} else fence + 1 end`;

/** As the partial indexes of the queue have it. */
const QUEUED = sql<SqlBool>`state || '' = 'queued'`;

/** No running run has the same `exclusive`. */
const FREE = sql<SqlBool>`(runs.exclusive is null or not exists (
  select 1 from runs busy where busy.state = 'running' and busy.exclusive is not null and busy.exclusive = runs.exclusive
))`;

/** Whether the time of any queued run has come: an idle worker asks no more, and keeps nobody from writing. */
async function anyStarts(db: CatalogDb, now: number): Promise<boolean> {
  const next = (await earliest(db, {})).rows[0]?.next ?? null;
  return next !== null && next <= now;
}

const earliest = prepared<object, { readonly next: number | null }>((db) =>
  db
    .selectFrom('runs')
    .select(({ fn }) => fn.min('not_before').as('next'))
    .where(QUEUED),
);

/** The sets of labels of queued runs that a worker with `mine` satisfies: from set to set through the index, however long the queue is. */
async function labelsWithin(db: CatalogDb, mine: Labels): Promise<string[]> {
  const found = await sql<{ labels: string }>`
    with recursive sets(labels) as (
      select min(labels) from runs where ${QUEUED}
      union all
      select (select min(runs.labels) from runs where ${QUEUED} and runs.labels > sets.labels)
      from sets where sets.labels is not null
    )
    select labels from sets where labels is not null`.execute(db);
  return found.rows.map((row) => row.labels).filter((text) => satisfied(JSON.parse(text) as Labels, mine));
}

function satisfied(wanted: Labels, mine: Labels): boolean {
  return Object.entries(wanted).every(([name, value]) => Object.hasOwn(mine, name) && mine[name] === value);
}

/** Keeps the run until `now + leaseMs`. `lost`: somebody else has it or it is over, stop at once; `cancel`: still held, but to be stopped. */
export async function renewLease(
  db: CatalogDb,
  run: RunHold,
  now: number,
  leaseMs: number,
): Promise<'held' | 'lost' | 'cancel'> {
  const { rows } = await prolong(db, { id: run.id, fence: run.fence, until: now + leaseMs });
  if (rows[0] === undefined) return 'lost';
  return rows[0].cancel_requested === 1 ? 'cancel' : 'held';
}

const prolong = prepared<RunHold & { readonly until: number }, Pick<RunsTable, 'cancel_requested'>>((db, value) =>
  db
    .updateTable('runs')
    .set({ lease_until: value('until') })
    .where('id', '=', value('id'))
    .where('fence', '=', value('fence'))
    .where('state', '=', 'running')
    .returning('cancel_requested'),
);

/** Ends the run, and queues or skips what waits for it. False: the claim was lost and nothing is written. */
export async function finishRun(db: CatalogDb, run: RunHold, end: RunEnd, now: number): Promise<boolean> {
  return await within(db, async (tx) => (await heldRun(tx, run)) !== undefined && (await finish(tx, run, end, now)));
}

export interface Requeue {
  /** Not before this time, ms since the epoch. */
  readonly notBefore: number;
  readonly reason: string;
  readonly error?: RunError;
  /** False gives the run back without counting the attempt: a worker that stops in good order. Default true. */
  readonly counted?: boolean;
}

/** Gives the run back, to be tried again, or ends it when a cancel was asked for. False: the claim was lost and nothing is written. */
export async function requeueRun(db: CatalogDb, run: RunHold, again: Requeue, now: number): Promise<boolean> {
  return await within(db, async (tx) => {
    const held = await heldRun(tx, run);
    if (held === undefined) return false;
    return held.cancelRequested
      ? await finish(tx, run, { state: 'cancelled' }, now)
      : await requeue(tx, run, again, now);
  });
}

const LOST = {
  code: 'run_lost',
  message: 'The worker stopped telling that it is alive; what it was doing is not known.',
} as const;

/** Takes runs back whose worker has not renewed them: queued again, or ended when no attempt is left or a cancel was asked for. */
export async function expireLeases(catalog: Catalog, now: number): Promise<Run[]> {
  const expired = await catalog.db
    .selectFrom('runs')
    .select(['id', 'fence'])
    .where(sql<SqlBool>`state = 'running'`)
    .where('lease_until', '<', now)
    .execute();
  const changed = [];
  for (const run of expired) changed.push(await catalog.transaction((tx) => expire(tx, run, now)));
  return changed.filter((run) => run !== undefined);
}

async function expire(db: CatalogDb, hold: RunHold, now: number): Promise<Run | undefined> {
  const run = await heldRun(db, hold);
  if (run === undefined || (run.leaseUntil ?? now) >= now) return undefined; // renewed or ended meanwhile
  if (run.cancelRequested) await finish(db, run, { state: 'cancelled', error: LOST }, now);
  else if (run.attempt >= run.maxAttempts) await finish(db, run, { state: 'failed', error: LOST }, now);
  else await requeue(db, run, { notBefore: now, reason: LOST.message, error: LOST }, now);
  return await getRun(db, run.id);
}

/** The run if the claim is still good; nobody changes it before the transaction ends. */
export async function heldRun(db: CatalogDb, { id, fence }: RunHold): Promise<Run | undefined> {
  const [row] = (await lockHeld(db, { id, fence })).rows;
  return row === undefined ? undefined : toRun(row);
}

const lockHeld = prepared<RunHold, RunsTable>((db, value) => {
  const query = db.selectFrom('runs').selectAll().where('id', '=', value('id')).where('fence', '=', value('fence'));
  return locking(db, query.where('state', '=', 'running'));
});

async function finish(db: CatalogDb, run: RunHold, end: RunEnd, now: number): Promise<boolean> {
  const outcome = end.outcome === undefined ? null : storable(JSON.stringify(end.outcome));
  const { rows } = await setEnd(db, { id: run.id, state: end.state, outcome, at: now, ...errorColumns(end.error) });
  await tellFinished(db, toRun(rows[0]!), now);
  return true;
}

type EndValues = Pick<RunsTable, 'id' | 'state' | 'outcome' | 'error_code' | 'error_message' | 'error_hint'>;

const setEnd = prepared<EndValues & { readonly at: number }, RunsTable>((db, value) =>
  db
    .updateTable('runs')
    .set({
      ...{ state: value('state'), outcome: value('outcome'), finished_at: value('at'), lease_until: null },
      ...{ error_code: value('error_code'), error_message: value('error_message'), error_hint: value('error_hint') },
    })
    .where('id', '=', value('id'))
    .returningAll(),
);

async function requeue(db: CatalogDb, run: RunHold, again: Requeue, now: number): Promise<boolean> {
  const { notBefore, reason } = again;
  const row = await db
    .updateTable('runs')
    .set((eb) => ({
      state: 'queued',
      not_before: notBefore,
      lease_until: null,
      attempt: eb('attempt', '+', again.counted === false ? 0 : 1),
      ...errorColumns(again.error),
    }))
    .where('id', '=', run.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  const data = { kind: row.kind, attempt: row.attempt, reason, notBefore };
  await appendEvent(db, { type: 'run.queued', app: row.app, runId: row.id, data }, now);
  return true;
}

function errorColumns(error: RunError | undefined) {
  return {
    error_code: error?.code ?? null,
    error_message: error === undefined ? null : storable(error.message),
    error_hint: error?.hint === undefined ? null : storable(error.hint),
  };
}
