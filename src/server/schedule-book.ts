/** What routes do with schedules: look one up for somebody, make, change, run now, run what is due. */
import { asFailure, Failure } from '../base/failure.ts';
import { given } from '../base/given.ts';
import type { Run } from '../catalog/runs.ts';
import {
  addSchedule,
  changeSchedule,
  getSchedule,
  listSchedules,
  type NewSchedule,
  type Schedule,
  type ScheduleTimes,
} from '../catalog/schedules.ts';
import { nextTime } from '../scheduler/cron.ts';
import { checkedParams } from '../scheduler/kinds.ts';
import { type Launched, launchNow } from '../scheduler/launch.ts';
import { followersOf, startDue } from '../scheduler/ticker.ts';
import { leastRoleFor } from './access/approvals.ts';
import type { ServerDeps } from './deps.ts';
import { type Held, type Principal, requireRole } from './principal.ts';
import { invalid } from './request.ts';

/** The part of a call that says who may see what. */
export interface Asking {
  allow(app: string, unknown: () => Failure): void;
}

export interface Asker {
  readonly principal: Principal;
  readonly once: string | undefined;
  readonly now: number;
}

export class ScheduleBook {
  readonly #deps: ServerDeps;

  constructor(deps: ServerDeps) {
    this.#deps = deps;
  }

  /** Throws `schedule_unknown`, also for what may not be seen. */
  async seen(id: string, asking: Asking): Promise<Schedule> {
    const schedule = await getSchedule(this.#deps.catalog.db, id);
    if (schedule === undefined) throw unknownSchedule();
    asking.allow(schedule.app, unknownSchedule);
    return schedule;
  }

  /** The same, for somebody who wants to change it. Throws `managed_by_file`. */
  async changeable(id: string, asking: Asking): Promise<Schedule> {
    const schedule = await this.seen(id, asking);
    if (schedule.origin === 'api') return schedule;
    throw new Failure('managed_by_file', `The configuration file says when "${schedule.name}" runs.`, {
      hint: `Change apps.${schedule.app}.schedules there.`,
    });
  }

  async add(schedule: NewSchedule, now: number): Promise<Schedule> {
    checkedParams(schedule.kind, schedule.params);
    this.#refuseForOne(schedule);
    await this.#refuseTakenName(schedule);
    return addSchedule(this.#deps.catalog.db, schedule, timesOf(schedule, now), now);
  }

  /** Throws `changed_meanwhile` when somebody was faster. */
  async change(known: Schedule, schedule: NewSchedule, now: number): Promise<Schedule> {
    checkedParams(schedule.kind, schedule.params);
    this.#refuseForOne(schedule);
    if (schedule.name !== known.name) await this.#refuseTakenName(schedule);
    const { db } = this.#deps.catalog;
    const after = await changeSchedule(db, known.id, known.version, schedule, timesOf(schedule, now), now);
    if (after !== undefined) return after;
    throw new Failure('changed_meanwhile', 'Somebody else changed it at the same moment.');
  }

  /** Its run, or what waits for a second person. */
  async runNow(schedule: Schedule, { principal, once, now }: Asker): Promise<{ readonly run: Run } | Held> {
    const { catalog, access } = this.#deps;
    requireRole(principal, schedule.app, leastRoleFor(schedule.kind));
    const held = await access.hold?.(schedule, principal);
    if (held !== undefined) return held;
    const trigger = principal.kind === 'machine' ? 'cli' : 'api';
    const asked = { trigger, requestedBy: principal.name, ...given('dedupe', once) };
    const launched = await catalog.transaction(async (tx) =>
      launchNow(tx, schedule, { followers: await followersOf(tx) }, asked, now),
    );
    return { run: launched[0]!.run };
  }

  runDue(app: string | undefined, now: number): Promise<readonly Launched[]> {
    const { catalog, log } = this.#deps;
    const onProblem = (message: string, error: unknown) => log.error(`${message}.`, { error });
    return startDue(catalog, now, { ...given('app', app), onProblem });
  }

  /** A schedule asks nobody: what takes two people is not begun by one who makes a schedule of it. */
  #refuseForOne({ kind, app }: NewSchedule): void {
    if (this.#deps.access.takesTwo?.(kind) !== true) return;
    throw new Failure(
      'forbidden',
      `A ${kind} takes two people, and a schedule would begin it without asking anybody.`,
      {
        hint: `Ask for the run itself, or put the schedule into the configuration file: apps.${app}.schedules.`,
      },
    );
  }

  async #refuseTakenName({ app, name }: NewSchedule): Promise<void> {
    const taken = (await listSchedules(this.#deps.catalog.db, { app })).some((each) => each.name === name);
    if (taken) throw invalid([{ in: 'body', path: 'name', message: `is taken by another schedule of ${app}` }]);
  }
}

/** Nothing that was due before now counts. */
function timesOf({ cron, timezone, enabled }: NewSchedule, now: number): ScheduleTimes {
  if (cron === '') return { evaluatedUntil: now, nextAt: null };
  try {
    const next = nextTime(cron, timezone, now);
    return { evaluatedUntil: now, nextAt: enabled ? (next ?? null) : null };
  } catch (error) {
    const { message } = asFailure(error);
    throw invalid([{ in: 'body', path: error instanceof RangeError ? 'timezone' : 'cron', message }]);
  }
}

export function unknownSchedule(): Failure {
  return new Failure('schedule_unknown', 'There is no such schedule.', {
    hint: 'List them with "holdfast schedules", or GET /api/v1/schedules.',
  });
}
