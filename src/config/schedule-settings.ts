/** Schedules and verification as the scheduler takes them: durations in ms. */
import type { z } from 'zod';
import { parseDuration } from '../base/durations.ts';
import { given } from '../base/given.ts';
import type { Resolved } from './resolve.ts';
import type { ScheduledKind } from './run-params.ts';
import { scheduleNames } from './schedule-names.ts';
import type { schedule, verification } from './schema/schedule.ts';

export interface BlackoutSettings {
  /** "HH:MM". */
  readonly from: string;
  /** "HH:MM", at most "24:00"; not later than `from`: of the next day. */
  readonly to: string;
  /** sun … sat; absent: every day. */
  readonly days?: readonly Weekday[];
}

export interface ScheduleSettings {
  readonly name: string;
  readonly run: ScheduledKind;
  readonly params: Readonly<Record<string, unknown>>;
  /** One of these, or none and `after`. */
  readonly cron?: string;
  readonly every?: 'hourly' | 'daily' | 'weekly' | 'monthly';
  readonly after?: string;
  /** Absent: the one of the machine. */
  readonly timezone?: string;
  readonly jitterMs: number;
  readonly catchUp: boolean;
  readonly blackout: readonly BlackoutSettings[];
  readonly retries: number;
  readonly timeLimitMs?: number;
  readonly priority: number;
  readonly enabled: boolean;
}

export interface VerificationSettings {
  readonly sample: 'hourly' | 'daily' | 'off';
  readonly readEveryMs: number;
  readonly afterBackup: boolean;
  readonly heal: boolean;
}

/** When the work of an app starts, and which workers can do it. */
export interface AppPlan {
  readonly app: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly schedules: readonly ScheduleSettings[];
}

const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
type Weekday = (typeof WEEKDAYS)[number];

type ScheduleValues = Resolved<z.infer<typeof schedule>>;

export function scheduleSettings(written: readonly ScheduleValues[]): ScheduleSettings[] {
  const names = scheduleNames(written);
  return written.map((values, at) => ({
    name: names[at]!,
    run: values.run,
    params: values.with,
    ...given('cron', values.cron),
    ...given('every', values.every),
    ...given('after', values.after),
    ...given('timezone', values.timezone),
    jitterMs: parseDuration(values.jitter)!,
    catchUp: values.catchUp,
    blackout: values.blackout.map(({ from, to, days }) => ({ from, to, ...given('days', days?.flatMap(daysOf)) })),
    retries: values.retries,
    ...given('timeLimitMs', values.timeLimit === undefined ? undefined : parseDuration(values.timeLimit)),
    priority: values.priority,
    enabled: values.enabled,
  }));
}

export function verificationSettings(values: Resolved<z.infer<typeof verification>>): VerificationSettings {
  const { readEvery, ...rest } = values;
  return { ...rest, readEveryMs: parseDuration(readEvery)! };
}

/** `mon`, or `fri-mon`: over the end of the week, too. */
function daysOf(written: string): Weekday[] {
  const [from, to = from] = written.split('-').map((day) => WEEKDAYS.indexOf(day as Weekday));
  const count = ((to! - from! + WEEKDAYS.length) % WEEKDAYS.length) + 1;
  return Array.from({ length: count }, (_, at) => WEEKDAYS[(from! + at) % WEEKDAYS.length]!);
}
