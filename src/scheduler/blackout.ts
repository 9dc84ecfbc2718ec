/** Hours in which a schedule starts nothing. They are on the wall clock of the schedule's time zone. */
import { dueTimes, nextTime } from './cron.ts';

export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

export interface Blackout {
  /** "HH:MM". */
  readonly from: string;
  /** "HH:MM", up to "24:00"; not later than `from` means the next day. */
  readonly to: string;
  /** The days on which it begins; all when left out. */
  readonly days?: readonly Weekday[];
}

const HOUR = 3_600_000;
/** No window is longer than a day, of 25 hours when clocks go back. */
const LONGEST = 26 * HOUR;
/** Windows that follow each other without a gap for this long leave no time at all. */
const HORIZON = 9 * 24 * HOUR;

/** The first instant from `at` on that no window holds: `at` itself when none does; undefined when they leave no time. */
export function outsideBlackouts(blackouts: readonly Blackout[], timezone: string, at: number): number | undefined {
  let free = at;
  for (;;) {
    const end = latest(blackouts.map((blackout) => endOf(blackout, timezone, free)));
    if (end === undefined) return free;
    if (end - at > HORIZON) return undefined;
    free = end;
  }
}

/** When the window that holds `at` ends. */
function endOf({ from, to, days }: Blackout, timezone: string, at: number): number | undefined {
  const start = dueTimes(daily(from, days), timezone, { after: at - LONGEST, until: at, limit: 1 }).times[0];
  const end = start === undefined ? undefined : nextTime(daily(to), timezone, start);
  return end !== undefined && end > at ? end : undefined;
}

function daily(time: string, days?: readonly Weekday[]): string {
  const [hour, minute] = time.split(':').map(Number);
  return `${minute} ${hour! % 24} * * ${days === undefined || days.length === 0 ? '*' : days.join(',')}`;
}

function latest(times: readonly (number | undefined)[]): number | undefined {
  return times.reduce(
    (last, time) => (time === undefined || (last !== undefined && last > time) ? last : time),
    undefined,
  );
}
