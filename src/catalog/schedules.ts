/** Schedules: what is due when. Computing the times is the scheduler's part; here they are kept. */
import { given } from '../base/given.ts';
import { newId } from '../base/ids.ts';
import { type CatalogDb, locking, within } from './database.ts';
import { appendEvent } from './events.ts';
import { prepared } from './prepared.ts';
import { type Labels, labelText } from './run.ts';
import type { SchedulesTable } from './schema.ts';

/** Hours in which nothing starts, in the schedule's time zone: "HH:MM". Days as mon…sun; none means all. */
export interface Blackout {
  readonly from: string;
  readonly to: string;
  readonly days?: readonly string[];
}

export interface NewSchedule {
  readonly app: string;
  readonly kind: string;
  readonly name: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly cron: string;
  readonly timezone: string;
  readonly jitterMs: number;
  readonly catchUp: boolean;
  readonly blackout: readonly Blackout[];
  /** Starts when a run of this schedule succeeded. */
  readonly afterSchedule?: string;
  readonly priority: number;
  readonly retries: number;
  readonly timeLimitMs?: number;
  readonly labels: Labels;
  readonly enabled: boolean;
  readonly origin: 'file' | 'api';
}

/** Times are ms since the epoch. */
export interface Schedule extends NewSchedule {
  readonly id: string;
  /** Grows with each change by people; not with what the scheduler notes. */
  readonly version: number;
  /** Due times up to here are dealt with. */
  readonly evaluatedUntil: number;
  readonly nextAt?: number;
  readonly lastRun?: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface ScheduleFilter {
  readonly app?: string;
  readonly origin?: 'file' | 'api';
  readonly enabled?: boolean;
}

export interface ScheduleTimes {
  readonly evaluatedUntil: number;
  /** `null`: never again. */
  readonly nextAt: number | null;
  readonly lastRun?: string;
}

/** A new schedule; due times before `now` do not count. */
export async function addSchedule(
  db: CatalogDb,
  schedule: NewSchedule,
  times: ScheduleTimes,
  now: number,
): Promise<Schedule> {
  return await within(db, async (tx) => {
    const row = await tx
      .insertInto('schedules')
      .values({
        id: newId(now),
        ...columns(schedule),
        version: 1,
        ...timeColumns(times),
        last_run: times.lastRun ?? null,
        created_at: now,
        updated_at: now,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    return await told(tx, row, 'added', now);
  });
}

/** Replaces what people decide. `undefined`: there is none, or its version is no longer `version`. */
export async function changeSchedule(
  db: CatalogDb,
  id: string,
  version: number,
  schedule: NewSchedule,
  times: ScheduleTimes,
  now: number,
): Promise<Schedule | undefined> {
  return await within(db, async (tx) => {
    const row = await tx
      .updateTable('schedules')
      .set({ ...columns(schedule), version: version + 1, ...timeColumns(times), updated_at: now })
      .where('id', '=', id)
      .where('version', '=', version)
      .returningAll()
      .executeTakeFirst();
    return row === undefined ? undefined : await told(tx, row, 'changed', now);
  });
}

/** Its runs stay. False: there was none. */
export async function removeSchedule(db: CatalogDb, id: string, now: number): Promise<boolean> {
  return await within(db, async (tx) => {
    const row = await tx.deleteFrom('schedules').where('id', '=', id).returningAll().executeTakeFirst();
    if (row !== undefined) await told(tx, row, 'removed', now);
    return row !== undefined;
  });
}

export async function getSchedule(db: CatalogDb, id: string): Promise<Schedule | undefined> {
  const row = await db.selectFrom('schedules').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : toSchedule(row);
}

/** By app, then name. */
export async function listSchedules(db: CatalogDb, filter: ScheduleFilter = {}): Promise<Schedule[]> {
  let query = db.selectFrom('schedules').selectAll().orderBy('app').orderBy('name').orderBy('id');
  if (filter.app !== undefined) query = query.where('app', '=', filter.app);
  if (filter.origin !== undefined) query = query.where('origin', '=', filter.origin);
  if (filter.enabled !== undefined) query = query.where('enabled', '=', filter.enabled ? 1 : 0);
  return (await query.execute()).map(toSchedule);
}

/** Enabled schedules whose next time has come, the longest due first. In a transaction they stay as they are until it ends. */
export async function dueSchedules(db: CatalogDb, now: number, limit: number): Promise<Schedule[]> {
  const query = db
    .selectFrom('schedules')
    .selectAll()
    .where('enabled', '=', 1)
    .where('next_at', '<=', now)
    .orderBy('next_at')
    .limit(limit);
  return (await (db.isTransaction ? locking(db, query) : query).execute()).map(toSchedule);
}

/** When the next enabled schedule is due, ms since the epoch. */
export async function nextDue(db: CatalogDb): Promise<number | undefined> {
  const row = await db
    .selectFrom('schedules')
    .select('next_at')
    .where('enabled', '=', 1)
    .where('next_at', 'is not', null)
    .orderBy('next_at')
    .limit(1)
    .executeTakeFirst();
  return row?.next_at ?? undefined;
}

/** Notes how far due times are dealt with. False: another evaluation was there first (`before` is what this one started from). */
export async function noteEvaluated(db: CatalogDb, id: string, before: number, times: ScheduleTimes): Promise<boolean> {
  const { evaluatedUntil, nextAt, lastRun } = times;
  const where = { id, before, evaluatedUntil, nextAt };
  const result = lastRun === undefined ? await setTimes(db, where) : await setLastRun(db, { ...where, lastRun });
  return (result.numAffectedRows ?? 0n) > 0n;
}

interface NewTimes extends Omit<ScheduleTimes, 'lastRun'> {
  readonly id: string;
  readonly before: number;
}

const setTimes = prepared<NewTimes, never>((db, value) =>
  db
    .updateTable('schedules')
    .set({ evaluated_until: value('evaluatedUntil'), next_at: value('nextAt') })
    .where('id', '=', value('id'))
    .where('evaluated_until', '=', value('before')),
);

const setLastRun = prepared<NewTimes & { readonly lastRun: string }, never>((db, value) =>
  db
    .updateTable('schedules')
    .set({ evaluated_until: value('evaluatedUntil'), next_at: value('nextAt'), last_run: value('lastRun') })
    .where('id', '=', value('id'))
    .where('evaluated_until', '=', value('before')),
);

async function told(db: CatalogDb, row: SchedulesTable, change: string, now: number): Promise<Schedule> {
  const schedule = toSchedule(row);
  const data = { schedule: row.id, name: row.name, change };
  await appendEvent(db, { type: 'schedule.changed', app: row.app, data }, now);
  return schedule;
}

function timeColumns(times: ScheduleTimes) {
  return { evaluated_until: times.evaluatedUntil, next_at: times.nextAt };
}

function columns(schedule: NewSchedule) {
  return {
    app: schedule.app,
    kind: schedule.kind,
    name: schedule.name,
    params: JSON.stringify(schedule.params),
    cron: schedule.cron,
    timezone: schedule.timezone,
    jitter_ms: schedule.jitterMs,
    catch_up: flag(schedule.catchUp),
    blackout: JSON.stringify(schedule.blackout),
    after_schedule: schedule.afterSchedule ?? null,
    priority: schedule.priority,
    retries: schedule.retries,
    time_limit_ms: schedule.timeLimitMs ?? null,
    labels: labelText(schedule.labels),
    enabled: flag(schedule.enabled),
    origin: schedule.origin,
  };
}

/** The columns as they are read; what lies there as JSON is parsed. */
function toSchedule(row: SchedulesTable): Schedule {
  return {
    id: row.id,
    app: row.app,
    kind: row.kind,
    name: row.name,
    params: JSON.parse(row.params) as Record<string, unknown>,
    cron: row.cron,
    timezone: row.timezone,
    jitterMs: row.jitter_ms,
    catchUp: row.catch_up === 1,
    blackout: JSON.parse(row.blackout) as Blackout[],
    ...given('afterSchedule', row.after_schedule ?? undefined),
    priority: row.priority,
    retries: row.retries,
    ...given('timeLimitMs', row.time_limit_ms ?? undefined),
    labels: JSON.parse(row.labels) as Labels,
    enabled: row.enabled === 1,
    origin: row.origin,
    version: row.version,
    evaluatedUntil: row.evaluated_until,
    ...given('nextAt', row.next_at ?? undefined),
    ...given('lastRun', row.last_run ?? undefined),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function flag(value: boolean): 0 | 1 {
  return value ? 1 : 0;
}
