/** Schedules as the API shows them, and back. */
import type { NewSchedule as Asked, ScheduleChange, Schedule as Shown } from '../../api/schedules.ts';
import { given } from '../../base/given.ts';
import type { NewSchedule, Schedule } from '../../catalog/schedules.ts';
import { secondsOrNull, time, timeOrNull } from './times.ts';

export function showSchedule(schedule: Schedule): Shown {
  return {
    ...{ id: schedule.id, app: schedule.app, name: schedule.name, kind: schedule.kind, params: { ...schedule.params } },
    ...{ cron: schedule.cron, timezone: schedule.timezone, jitter_s: schedule.jitterMs / 1_000 },
    catch_up: schedule.catchUp,
    blackout: schedule.blackout.map(({ from, to, days }) => ({
      ...{ from, to },
      ...(days === undefined ? {} : { days: [...days] as NonNullable<Shown['blackout'][number]['days']> }),
    })),
    after: schedule.afterSchedule ?? null,
    ...{ priority: schedule.priority, retries: schedule.retries, time_limit_s: secondsOrNull(schedule.timeLimitMs) },
    ...{ labels: { ...schedule.labels }, enabled: schedule.enabled, origin: schedule.origin },
    version: schedule.version,
    next_at: timeOrNull(schedule.nextAt),
    last_run: schedule.lastRun ?? null,
    ...{ created_at: time(schedule.createdAt), updated_at: time(schedule.updatedAt) },
  };
}

export function toNewSchedule(app: string, asked: Asked): NewSchedule {
  return {
    ...{ app, name: asked.name ?? asked.kind, kind: asked.kind, params: asked.params, cron: asked.cron },
    ...{ timezone: asked.timezone, jitterMs: asked.jitter_s * 1_000, catchUp: asked.catch_up },
    blackout: asked.blackout.map(toBlackout),
    ...{ priority: asked.priority, retries: asked.retries, labels: asked.labels, enabled: asked.enabled },
    ...given('timeLimitMs', asked.time_limit_s === null ? undefined : asked.time_limit_s * 1_000),
    origin: 'api',
  };
}

/** What is left out of `change` stays. */
export function changed(schedule: Schedule, change: ScheduleChange): NewSchedule {
  const { time_limit_s: limit, timeLimitMs, ...rest } = { ...schedule, time_limit_s: change.time_limit_s };
  const limitMs = limit === undefined ? timeLimitMs : limit === null ? undefined : limit * 1_000;
  return {
    ...rest,
    ...given('name', change.name),
    ...given('kind', change.kind),
    ...given('params', change.params),
    ...given('cron', change.cron),
    ...given('timezone', change.timezone),
    ...given('jitterMs', change.jitter_s === undefined ? undefined : change.jitter_s * 1_000),
    ...given('catchUp', change.catch_up),
    ...given('blackout', change.blackout?.map(toBlackout)),
    ...given('priority', change.priority),
    ...given('retries', change.retries),
    ...given('timeLimitMs', limitMs),
    ...given('labels', change.labels),
    ...given('enabled', change.enabled),
  };
}

function toBlackout({ from, to, days }: Asked['blackout'][number]) {
  return { from, to, ...given('days', days) };
}
