/** What happened, in order: the stream that the API sends on, that alerts and metrics follow, and that wakes workers. */
import { type Selectable, sql } from 'kysely';
import type { Clock } from '../base/clock.ts';
import { isFailure } from '../base/failure.ts';
import { given } from '../base/given.ts';
import type { Catalog } from './catalog.ts';
import { type CatalogDb, onPostgres, storable, within } from './database.ts';
import { EVENTS_CHANNEL } from './dialects/listener.ts';
import { prepared, preparedForms } from './prepared.ts';
import type { EventsTable } from './schema.ts';

export const EVENT_TYPES = [
  'run.created', // data: kind, state, trigger, schedule
  'run.queued', // again, or after waiting; data: kind, attempt, reason, notBefore
  'run.started', // data: kind, attempt, worker
  'run.progress', // data: the progress, or cancelRequested
  'run.log', // data: from, to: the numbers of the new lines
  'run.finished', // data: kind, state, attempt, code, message
  'run.skipped', // data: kind, reason, scheduledFor
  'schedule.changed',
  'schedule.due',
  'point.added',
  'point.removed',
  'alert.raised',
  'alert.changed',
  'alert.resolved',
  'storage.state',
  'worker.joined',
  'worker.lost',
  'approval.requested',
  'approval.decided',
  'config.reloaded',
  'wal.state',
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

export interface NewEvent {
  readonly type: EventType;
  readonly app?: string | undefined;
  readonly runId?: string | undefined;
  readonly data?: Readonly<Record<string, unknown>>;
}

export interface CatalogEvent extends NewEvent {
  /** Whoever has seen n misses nothing with a number above n. */
  readonly seq: number;
  /** ms since the epoch. */
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface EventFilter {
  readonly types?: readonly EventType[];
  readonly app?: string;
  readonly runId?: string;
}

/** The advisory lock that makes numbers grow in the order of commits. */
const ORDER_LOCK = 0x686f6c64;
const BATCH = 500;
const POLL_MS = 2_000;

/**
 * Adds an event. In a caller's transaction it should come last: on PostgreSQL no other transaction adds one until this ends, or a number
 * could become visible after a larger one.
 */
export async function appendEvent(db: CatalogDb, event: NewEvent, now: number): Promise<void> {
  await appendEvents(db, [event], now);
}

/** The same for several, in their order. */
export async function appendEvents(db: CatalogDb, events: readonly NewEvent[], now: number): Promise<void> {
  if (events.length === 0) return;
  await within(db, async (tx) => {
    if (onPostgres(tx)) await sql`select pg_advisory_xact_lock(${ORDER_LOCK})`.execute(tx);
    for (const { type, app, runId, data } of events) {
      const about = { at: now, type, app: app ?? null, run_id: runId ?? null };
      await insertEvent(tx, { ...about, data: storable(JSON.stringify(data ?? {})) });
    }
    if (onPostgres(tx)) await sql`select pg_notify(${EVENTS_CHANNEL}, '')`.execute(tx);
  });
}

const insertEvent = prepared<Omit<EventsTable, 'seq'>, never>((db, value) =>
  db.insertInto('events').values({
    ...{ at: value('at'), type: value('type'), app: value('app'), run_id: value('run_id') },
    data: value('data'),
  }),
);

/** As it lies in the catalog: `data` as JSON. */
export type EventRow = Selectable<EventsTable>;

/** Events after number `after`, the oldest first, at most `limit`. */
export async function readEvents(
  db: CatalogDb,
  after: number,
  limit: number,
  filter: EventFilter = {},
): Promise<CatalogEvent[]> {
  return (await readEventRows(db, after, limit, filter)).map(toEvent);
}

/** The same as rows. */
export async function readEventRows(
  db: CatalogDb,
  after: number,
  limit: number,
  filter: EventFilter = {},
): Promise<readonly EventRow[]> {
  const { types, app, runId } = filter;
  if (types?.length === 0) return [];
  const narrow = app !== undefined || runId !== undefined;
  const asked = { after, limit, ...given('types', types), ...given('app', app), ...given('runId', runId) };
  return (await (types === undefined || narrow ? selectEvents(db, asked) : selectByType(db, asked))).rows;
}

interface Asked extends EventFilter {
  readonly after: number;
  readonly limit: number;
}

const selectEvents = preparedForms((db: CatalogDb, { after, limit, types, app, runId }: Asked) => {
  let query = db.selectFrom('events').selectAll().where('seq', '>', after).orderBy('seq').limit(limit);
  if (runId !== undefined) query = query.where('run_id', '=', runId);
  if (app !== undefined) query = query.where('app', '=', app);
  return types === undefined ? query : query.where('type', 'in', types);
});

/** Each type begins at its place in an index, which tells the numbers; of the events only those that come first are read. */
const selectByType = preparedForms((db: CatalogDb, { after, limit, types = [] }: Asked) => {
  const numbers = types.map(
    (type) =>
      sql`select seq from (select seq from events where type = ${type} and seq > ${after} order by seq limit ${limit}) as one`,
  );
  const first = sql<number>`(select seq from (${sql.join(numbers, sql` union all `)}) as each_type order by seq limit ${limit})`;
  return db.selectFrom('events').selectAll().where('seq', 'in', first).orderBy('seq');
});

function toEvent(row: EventRow): CatalogEvent {
  const event: { -readonly [K in keyof CatalogEvent]: CatalogEvent[K] } = {
    ...{ seq: row.seq, at: row.at, type: row.type as EventType },
    data: row.data === '{}' ? {} : (JSON.parse(row.data) as Record<string, unknown>),
  };
  if (row.app !== null) event.app = row.app;
  if (row.run_id !== null) event.runId = row.run_id;
  return event;
}

/** The number of the newest event; 0 where there is none. */
export async function newestEvent(db: CatalogDb): Promise<number> {
  const row = await db.selectFrom('events').select('seq').orderBy('seq', 'desc').limit(1).executeTakeFirst();
  return row?.seq ?? 0;
}

/**
 * Every event after number `after` that passes `filter`, then each new one as it is committed by any process, until `signal` fires. A
 * server keeps one of these and hands events on to its clients. A catalog that cannot be read for a while is waited for.
 */
export async function* watchEvents(
  catalog: Catalog,
  after: number,
  signal: AbortSignal,
  clock: Clock,
  filter: EventFilter = {},
): AsyncGenerator<CatalogEvent, void, undefined> {
  await using listening = await catalog.listen();
  let seen = after;
  let seenAt = Number.POSITIVE_INFINITY;
  while (!signal.aborted) {
    await listening.ensure();
    const changed = new AbortController();
    const wait = catalog.wake.wait(clock, POLL_MS, AbortSignal.any([signal, changed.signal])); // before reading: nothing slips between
    const events = await readOrNone(catalog.db, seen);
    if (events.length > 0) changed.abort();
    else seen = await backTo(catalog.db, seen, seenAt);
    for (const event of events) {
      if (signal.aborted) break;
      ({ seq: seen, at: seenAt } = event);
      if (passes(event, filter)) yield event;
    }
    await wait;
  }
}

/** A standby that takes over may lack the newest events, and gives their numbers to others: those made after the last that was seen are new. */
async function backTo(db: CatalogDb, seen: number, seenAt: number): Promise<number> {
  const newest = await newestEvent(db).catch(() => seen); // it cannot be read now
  if (newest >= seen) return seen;
  const query = db.selectFrom('events').select('seq').where('at', '<=', Math.min(seenAt, Number.MAX_SAFE_INTEGER));
  const last = query.orderBy('at', 'desc').orderBy('seq', 'desc').limit(1).executeTakeFirst();
  return await last.then(
    (row) => row?.seq ?? 0,
    () => seen,
  );
}

async function readOrNone(db: CatalogDb, seen: number): Promise<CatalogEvent[]> {
  try {
    return await readEvents(db, seen, BATCH);
  } catch (error) {
    if (!isFailure(error, 'catalog_failed')) throw error;
    return [];
  }
}

function passes(event: CatalogEvent, { types, app, runId }: EventFilter): boolean {
  if (types !== undefined && !types.includes(event.type)) return false;
  return (app === undefined || event.app === app) && (runId === undefined || event.runId === runId);
}
