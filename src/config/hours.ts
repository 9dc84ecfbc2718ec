/** Times of a week as people write them: `08:00-18:00`, `mon-fri 08:00-18:00`, `sat,sun 22:00-06:00`. */

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const FORM =
  /^(?:([a-z]{3}(?:-[a-z]{3})?(?:,[a-z]{3}(?:-[a-z]{3})?)*) )?([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)$/;

export interface Hours {
  /** 0 is Sunday. */
  readonly days: readonly number[];
  /** Minutes since midnight; with `from` after `to` it goes on into the next day, which need not be among `days`. */
  readonly from: number;
  readonly to: number;
}

/** Undefined when `text` is not of this form. */
export function parseHours(text: string): Hours | undefined {
  const match = FORM.exec(text.toLowerCase());
  if (match === null) return undefined;
  const [, named, h1, m1, h2, m2] = match;
  const days = named === undefined ? [0, 1, 2, 3, 4, 5, 6] : daysOf(named);
  const [from, to] = [Number(h1) * 60 + Number(m1), Number(h2) * 60 + Number(m2)];
  return days === undefined || to > 1440 || from === to ? undefined : { days, from, to };
}

function daysOf(named: string): number[] | undefined {
  const found = new Set<number>();
  for (const part of named.split(',')) {
    const [first, last] = part.split('-').map((day) => DAYS.indexOf(day as (typeof DAYS)[number]));
    if (first === undefined || first < 0 || (last !== undefined && last < 0)) return undefined;
    for (let day = first; ; day = (day + 1) % 7) {
      found.add(day);
      if (day === (last ?? first)) break;
    }
  }
  return [...found].sort();
}

/** Whether the time (ms since the epoch) lies in these hours, by the clocks of the time zone. */
export function inHours(hours: Hours, now: number, timeZone: string): boolean {
  const { day, minute } = localTime(now, timeZone);
  const { from, to, days } = hours;
  if (from < to) return days.includes(day) && minute >= from && minute < to;
  return (days.includes(day) && minute >= from) || (days.includes((day + 6) % 7) && minute < to);
}

function localTime(now: number, timeZone: string): { readonly day: number; readonly minute: number } {
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  } as Intl.DateTimeFormatOptions);
  const parts = new Map(format.formatToParts(new Date(now)).map(({ type, value }) => [type, value]));
  const day = DAYS.indexOf(parts.get('weekday')!.toLowerCase() as (typeof DAYS)[number]);
  return { day, minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) };
}
