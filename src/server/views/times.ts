/** Times and spans as the API writes them. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TWO = Array.from({ length: 60 }, (_, n) => `${n}`.padStart(2, '0'));
const THREE = Array.from({ length: SECOND }, (_, n) => `${n}`.padStart(3, '0'));

/** The day of the last time that was written: those of a page are mostly of one or a few. */
let last = { day: Number.NaN, text: '' };

/** As `toISOString`, of which a page of runs needs hundreds, in a fortieth of its time. */
export function time(ms: number): string {
  const whole = Math.trunc(ms);
  const day = Math.floor(whole / DAY);
  if (day !== last.day) last = { day, text: new Date(day * DAY).toISOString().slice(0, -'00:00:00.000Z'.length) };
  const rest = whole - day * DAY;
  const [hour, minute] = [TWO[Math.floor(rest / HOUR)], TWO[Math.floor(rest / MINUTE) % 60]];
  return `${last.text}${hour}:${minute}:${TWO[Math.floor(rest / SECOND) % 60]}.${THREE[rest % SECOND]}Z`;
}

export function timeOrNull(ms: number | undefined | null): string | null {
  return ms === undefined || ms === null ? null : time(ms);
}

export function secondsOrNull(ms: number | undefined): number | null {
  return ms === undefined ? null : ms / 1_000;
}

/** What a caller gave; checked to be a time before. */
export function milliseconds(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
}
