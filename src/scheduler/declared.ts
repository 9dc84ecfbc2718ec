/** The schedules that the configuration file asks for, in the form of the catalog. */
import { given } from '../base/given.ts';
import type { NewSchedule } from '../catalog/schedules.ts';
import type { AppPlan, ScheduleSettings, VerificationSettings } from '../config/schedule-settings.ts';
import { presetCron } from './cron.ts';
import { EVERY_APP } from './kinds.ts';
import { sampleParams } from './verification.ts';

/** A schedule that may name the one it follows; both have names within their app. */
export interface DeclaredSchedule extends Omit<NewSchedule, 'origin' | 'afterSchedule'> {
  readonly after?: string;
}

export interface Declaration {
  readonly plans: readonly AppPlan[];
  readonly verification: VerificationSettings;
  readonly storages: readonly string[];
  /** The time zone of schedules that name none. */
  readonly timezone: string;
}

export function declaredSchedules({ plans, verification, storages, timezone }: Declaration): DeclaredSchedule[] {
  const ofApps = plans.flatMap(({ app, labels, schedules }) =>
    schedules.map((schedule) => ofApp(app, labels, schedule, timezone)),
  );
  if (verification.sample === 'off' || plans.length === 0) return ofApps;
  return [...ofApps, ...storages.map((storage) => sampling(storage, verification, timezone))];
}

function ofApp(app: string, labels: AppPlan['labels'], schedule: ScheduleSettings, timezone: string): DeclaredSchedule {
  const { name, run, params, cron, every, jitterMs, catchUp, blackout, retries, priority, enabled } = schedule;
  return {
    app,
    kind: run,
    name,
    params,
    cron: cron ?? (every === undefined ? '' : presetCron(every, run)),
    timezone: schedule.timezone ?? timezone,
    ...{ jitterMs, catchUp, blackout, retries, priority, enabled, labels },
    ...given('after', schedule.after),
    ...given('timeLimitMs', schedule.timeLimitMs),
  };
}

const TEN_MINUTES = 600_000;

/** One per storage, off the full hour; which objects it reads is drawn up when it starts. */
function sampling(storage: string, verification: VerificationSettings, timezone: string): DeclaredSchedule {
  return {
    app: EVERY_APP,
    kind: 'verify',
    name: `verify-${storage}`,
    params: sampleParams(storage, verification),
    cron: verification.sample === 'hourly' ? '20 * * * *' : '20 4 * * *',
    ...{
      timezone,
      jitterMs: TEN_MINUTES,
      catchUp: true,
      blackout: [],
      retries: 1,
      priority: 0,
      labels: {},
      enabled: true,
    },
  };
}
