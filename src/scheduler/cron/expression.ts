/** A cron expression taken apart: which minutes, hours and days it names, on a calendar that knows no time zones. */
import { Failure } from '../../base/failure.ts';
import { cronProblem } from '../../config/cron.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
/** Leap days are at most eight years apart. */
const HORIZON_YEARS = 9;

const MACROS: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

const NAMES = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAY_NAMES = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

export interface Expression {
  /** Ascending. */
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  /** Indexed by day of month 1–31, month 1–12, day of week 0–6. */
  readonly days: readonly boolean[];
  readonly months: readonly boolean[];
  readonly weekdays: readonly boolean[];
  /** Both kinds of day are restricted: either fits, as cron has it since 1979. */
  readonly eitherDay: boolean;
  /** Names times of day rather than an interval; such a time is neither lost nor doubled when clocks change. */
  readonly fixed: boolean;
}

/** Takes `text` (five fields or a macro) apart. Throws `usage`. */
export function parseExpression(text: string): Expression {
  const problem = cronProblem(text);
  if (problem !== undefined) throw new Failure('usage', `"${text}" is no time for a schedule: it ${problem}.`);
  const trimmed = text.trim();
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = (MACROS[trimmed] ?? trimmed).split(/\s+/);
  const weekdays = values(weekday, 0, 7, DAY_NAMES);
  if (weekdays[7]) weekdays[0] = true;
  return {
    minutes: numbers(values(minute, 0, 59, [])),
    hours: numbers(values(hour, 0, 23, [])),
    days: values(day, 1, 31, []),
    months: values(month, 1, 12, ['', ...NAMES]),
    weekdays: weekdays.slice(0, 7),
    eitherDay: day !== '*' && weekday !== '*',
    fixed: !hour.includes('*'),
  };
}

function values(field: string, least: number, most: number, names: readonly string[]): boolean[] {
  const set = new Array<boolean>(most + 1).fill(false);
  const value = (text: string) => {
    const named = names.indexOf(text.toLowerCase());
    return named >= 0 ? named : Number(text);
  };
  for (const item of field.split(',')) {
    const [span = '', step] = item.split('/');
    const [from = '', to = step === undefined ? from : String(most)] =
      span === '*' ? [`${least}`, `${most}`] : span.split('-');
    for (let at = value(from); at <= value(to); at += Number(step ?? 1)) set[at] = true;
  }
  return set;
}

function numbers(set: readonly boolean[]): number[] {
  return [...set.keys()].filter((at) => set[at]);
}

/** The first time from `local` on (inclusive; milliseconds as if the wall clock were UTC) that fits; undefined when none does for years. */
export function nextLocal(expression: Expression, local: number): number | undefined {
  const start = Math.ceil(local / MINUTE) * MINUTE;
  let day = Math.floor(start / DAY) * DAY;
  let least = (start - day) / MINUTE;
  const horizon = dateOf(day).year + HORIZON_YEARS;
  for (;;) {
    const date = dateOf(day);
    if (!expression.months[date.month]) {
      day = Date.UTC(date.year, date.month, 1);
      least = 0;
      if (date.year > horizon) return undefined;
      continue;
    }
    const minute = dayFits(expression, date) ? minuteOfDay(expression, least) : undefined;
    if (minute !== undefined) return day + minute * MINUTE;
    if (date.year > horizon) return undefined;
    day += DAY;
    least = 0;
  }
}

function dayFits({ days, weekdays, eitherDay }: Expression, date: CalendarDate): boolean {
  const day = days[date.day]!;
  const weekday = weekdays[date.weekday]!;
  return eitherDay ? day || weekday : day && weekday;
}

interface CalendarDate {
  readonly year: number;
  /** 1–12. */
  readonly month: number;
  readonly day: number;
  /** 0 is Sunday. */
  readonly weekday: number;
}

const KEPT_DATES = 1_000;
const dates = new Map<number, CalendarDate>();

/** Kept, because thousands of schedules ask about the same few days. */
function dateOf(day: number): CalendarDate {
  const known = dates.get(day);
  if (known !== undefined) return known;
  if (dates.size >= KEPT_DATES) dates.clear();
  const date = new Date(day);
  const made = {
    ...{ year: date.getUTCFullYear(), month: date.getUTCMonth() + 1 },
    ...{ day: date.getUTCDate(), weekday: date.getUTCDay() },
  };
  dates.set(day, made);
  return made;
}

function minuteOfDay({ hours, minutes }: Expression, least: number): number | undefined {
  for (const hour of hours) {
    if (hour * 60 + 59 < least) continue;
    const minute = minutes.find((each) => hour * 60 + each >= least);
    if (minute !== undefined) return hour * 60 + minute;
  }
  return undefined;
}
