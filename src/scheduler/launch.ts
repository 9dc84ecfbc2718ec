/** From due occurrences to runs: each becomes a run or the record of a skip, together with the note that it was dealt with, or not at all. */
import { given } from '../base/given.ts';
import type { CatalogDb } from '../catalog/catalog.ts';
import type { Run } from '../catalog/runs.ts';
import { getSchedule, noteEvaluated, type Schedule } from '../catalog/schedules.ts';
import { type DueRun, evaluate, type Occurrence, type Timetable } from './due.ts';
import { type AskedRun, enqueue, recordSkip } from './enqueue.ts';

export interface Launched {
  readonly schedule: string;
  readonly run: Run;
}

/** What is known of the other schedules. */
export interface Surroundings {
  /** Schedules that start whenever a run of this one succeeded, by its id. */
  readonly followers: ReadonlyMap<string, readonly Schedule[]>;
  /** Schedules of which a run has not begun yet. */
  readonly pending: ReadonlySet<string>;
}

/** In the caller's transaction. Empty when another was there first. */
export async function launchDue(
  db: CatalogDb,
  schedule: Schedule,
  around: Surroundings,
  now: number,
): Promise<Launched[]> {
  const { occurrences, evaluatedUntil, nextAt } = evaluate(timetable(schedule), now);
  if (!(await noteEvaluated(db, schedule.id, schedule.evaluatedUntil, { evaluatedUntil, nextAt }))) return [];
  const launched: Launched[] = [];
  for (const occurrence of occurrences) launched.push(...(await settle(db, schedule, around, { occurrence, now })));
  const last = launched.find(({ schedule: id }) => id === schedule.id);
  if (last !== undefined)
    await noteEvaluated(db, schedule.id, evaluatedUntil, { evaluatedUntil, nextAt, lastRun: last.run.id });
  return launched;
}

/** A run of the schedule now, because somebody asks for it, and what follows it. */
export async function launchNow(
  db: CatalogDb,
  schedule: Schedule,
  around: Pick<Surroundings, 'followers'>,
  asked: Pick<AskedRun, 'requestedBy' | 'reason' | 'dedupe' | 'trigger'>,
  now: number,
): Promise<Launched[]> {
  const { run, created } = await enqueue(db, { ...asRun(schedule), ...asked }, now);
  const { evaluatedUntil, nextAt = null } = schedule;
  await noteEvaluated(db, schedule.id, evaluatedUntil, { evaluatedUntil, nextAt, lastRun: run.id });
  return [{ schedule: schedule.id, run }, ...(created ? await follow(db, schedule, run, around, now) : [])];
}

async function settle(
  db: CatalogDb,
  schedule: Schedule,
  around: Surroundings,
  { occurrence, now }: { readonly occurrence: Occurrence; readonly now: number },
): Promise<Launched[]> {
  const { scheduledFor } = occurrence;
  const skip = (reason: string) =>
    recordSkip(
      db,
      { ...asRun(schedule), trigger: 'schedule', scheduledFor, reason, dedupe: `skip:${schedule.id}@${scheduledFor}` },
      now,
    );
  if (occurrence.what === 'skip') {
    await skip(occurrence.reason);
    return [];
  }
  if (around.pending.has(schedule.id)) {
    await skip('The run before it has not begun yet.');
    return [];
  }
  const first = schedule.afterSchedule === undefined ? undefined : await getSchedule(db, schedule.afterSchedule);
  if (schedule.afterSchedule !== undefined && first?.lastRun === undefined) {
    await skip(`The schedule it follows${first === undefined ? ' is gone' : `, "${first.name}", has not run yet`}.`);
    return [];
  }
  return start(db, schedule, { ...occurrence, ...given('afterRun', first?.lastRun) }, around, now);
}

async function start(
  db: CatalogDb,
  schedule: Schedule,
  due: DueRun & { readonly afterRun?: string },
  around: Surroundings,
  now: number,
): Promise<Launched[]> {
  const { scheduledFor, startAt, trigger, dedupe } = due;
  const asked = {
    trigger,
    scheduledFor,
    dedupe,
    notBefore: startAt,
    ...given('reason', due.reason),
    ...given('afterRun', due.afterRun),
  };
  const { run, created } = await enqueue(db, { ...asRun(schedule), ...asked }, now);
  if (!created) return [];
  return [{ schedule: schedule.id, run }, ...(await follow(db, schedule, run, around, now))];
}

/** What follows waits from the beginning: it is seen, and cancelled with what it waits for. */
async function follow(
  db: CatalogDb,
  schedule: Schedule,
  run: Run,
  around: Pick<Surroundings, 'followers'>,
  now: number,
): Promise<Launched[]> {
  const launched: Launched[] = [];
  for (const follower of around.followers.get(schedule.id) ?? []) {
    const dedupe = `run:${follower.id}@after:${run.id}`;
    const next = await enqueue(db, { ...asRun(follower), trigger: 'dependency', afterRun: run.id, dedupe }, now);
    launched.push({ schedule: follower.id, run: next.run }, ...(await follow(db, follower, next.run, around, now)));
  }
  return launched;
}

function asRun(schedule: Schedule): Omit<AskedRun, 'trigger'> {
  const { id, app, kind, params, labels, priority, retries } = schedule;
  return {
    app,
    kind,
    params,
    labels,
    priority,
    retries,
    scheduleId: id,
    ...given('timeLimitMs', schedule.timeLimitMs),
  };
}

function timetable(schedule: Schedule): Timetable {
  return { ...schedule, blackout: schedule.blackout as Timetable['blackout'] };
}
