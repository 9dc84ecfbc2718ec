/** Hours, days, weeks, months and years of a time zone, as names that are equal exactly within one period. */

export const PERIODS = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type Period = (typeof PERIODS)[number];

const DAY_MS = 24 * 3600_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** The name of the period in which `time` (milliseconds since the epoch) lies: `2026-11-21`, `2026-W47`, `2026-11`… */
export function periodOf(period: Period, time: number, timeZone: string): string {
  const { year, month, day, hour, offset } = local(time, timeZone);
  const date = `${year}-${two(month)}-${two(day)}`;
  switch (period) {
    case 'hourly':
      // The hour that a clock change repeats is two hours.
      return `${date} ${two(hour)}:00${offset}`;
    case 'daily':
      return date;
    case 'weekly':
      return isoWeek(year, month, day);
    case 'monthly':
      return `${year}-${two(month)}`;
    case 'yearly':
      return String(year);
  }
}

function local(time: number, timeZone: string) {
  const parts = new Map(
    format(timeZone)
      .formatToParts(time)
      .map(({ type, value }) => [type, value]),
  );
  const number = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
  return {
    ...{ year: number('year'), month: number('month'), day: number('day'), hour: number('hour') },
    offset: (parts.get('timeZoneName') ?? '').replace('GMT', ''),
  };
}

function format(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const numeric = '2-digit' as const;
  const made = new Intl.DateTimeFormat('en-GB', {
    ...{ timeZone, calendar: 'iso8601', hourCycle: 'h23', timeZoneName: 'longOffset' },
    ...{ year: 'numeric', month: numeric, day: numeric, hour: numeric },
  });
  formats.set(timeZone, made);
  return made;
}

/** ISO 8601: weeks begin on Monday; the week that holds the year's first Thursday is its first. */
function isoWeek(year: number, month: number, day: number): string {
  const date = Date.UTC(year, month - 1, day);
  const weekday = (new Date(date).getUTCDay() + 6) % 7;
  const thursday = date + (3 - weekday) * DAY_MS;
  const weekYear = new Date(thursday).getUTCFullYear();
  const week = 1 + Math.floor((thursday - Date.UTC(weekYear, 0, 1)) / (7 * DAY_MS));
  return `${weekYear}-W${two(week)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
