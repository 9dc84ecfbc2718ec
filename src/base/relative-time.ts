/**
 * Moments as operators write them: RFC 3339 with a zone (`2025-03-01T08:30:00Z`, `2025-03-01 09:30:00+01:00`), with the zone as PostgreSQL
 * and ISO 8601 shorten it, too (`+01`, `+0100`), or relative to now (`10m ago`, `1h30m ago`, `10 minutes ago`). A moment without a zone is
 * refused: it means something else on another machine.
 */
import { parseDuration } from './durations.ts';
import { Failure } from './failure.ts';

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? ?([Zz]|[+-]\d\d(?::?\d\d)?)$/;
const WITHOUT_ZONE = /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?$/;
const AGO = /^(.{1,100}) ago$/;
const UNIT_WORD = / ?(second|minute|hour|day|week)s?\b/g;

/** How a moment is written, for messages and help. */
const TIME_FORM =
  'a time with a zone such as 2025-03-01T08:30:00Z or 2025-03-01T09:30:00+01:00, or relative such as "10m ago"';

/** The moment in milliseconds since the epoch (finer digits are cut off). Throws Failure `usage` on anything that is not one. */
export function parseTime(text: string, now: number): number {
  const trimmed = text.trim();
  const ago = AGO.exec(trimmed);
  const back = ago === null ? undefined : parseDuration(ago[1]!.replaceAll(UNIT_WORD, (_, word: string) => word[0]!));
  if (back !== undefined) return now - back;
  const at = parseRfc3339(trimmed);
  if (at !== undefined) return at;
  throw WITHOUT_ZONE.test(trimmed)
    ? new Failure(
        'usage',
        `"${text}" does not say ${text.includes(':') ? 'in' : 'which time of day, in'} which time zone.`,
        {
          hint: `Write ${TIME_FORM}.`,
        },
      )
    : new Failure('usage', `"${text}" is not a time.`, { hint: `Write ${TIME_FORM}.` });
}

/** The moment in microseconds since the epoch: as precise as the times that PostgreSQL writes into its log. */
export function parseMicroseconds(text: string, now: number): bigint {
  const milliseconds = BigInt(Math.floor(parseTime(text, now)));
  const fraction = RFC3339.exec(text.trim())?.[7] ?? '';
  return milliseconds * 1000n + BigInt(fraction.padEnd(6, '0').slice(3, 6));
}

function parseRfc3339(text: string): number | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const offset = zoneOffsetMinutes(match[8]!);
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59 || offset === undefined) return undefined;
  const milliseconds = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
  return Date.UTC(year, month - 1, day, hour, minute, second, milliseconds) - offset * 60_000;
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function zoneOffsetMinutes(zone: string): number | undefined {
  if (zone === 'Z' || zone === 'z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(':', ''));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone[0] === '-' ? -1 : 1) * (hours * 60 + minutes);
}

/** `2025-03-01T08:30:00Z`: the form in which every time is echoed, to the second. */
export function formatUtc(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** The start of the year 10000, beyond which years need more digits. */
const LAST_YEAR = 253_402_300_800_000;

/**
 * `2025-03-01T08:30:00.123456Z`, from microseconds since the epoch: as precise as PostgreSQL's log. A time that no calendar has (damage without
 * a checksum) is the epoch's.
 */
export function formatMicroseconds(time: bigint): string {
  const ms = Number(time / 1000n);
  const date = new Date(ms >= 0 && ms < LAST_YEAR ? ms : 0);
  return `${date.toISOString().slice(0, 19)}.${String(time % 1_000_000n).padStart(6, '0')}Z`;
}

/**
 * Both forms a person needs: `2025-03-01T08:30:00Z (2025-03-01 09:30:00 GMT+1)`; only the first where local time is that of UTC. Without a zone
 * it is the machine's, asked of `Date`: loading the calendars of Intl takes a twentieth of a second.
 */
export function formatUtcAndLocal(ms: number, timeZone?: string): string {
  const utc = formatUtc(ms);
  const minutes = timeZone === undefined ? -new Date(ms).getTimezoneOffset() : offsetIn(timeZone, ms);
  if (minutes === 0) return utc;
  const local = new Date(ms + minutes * 60_000).toISOString();
  return `${utc} (${local.slice(0, 10)} ${local.slice(11, 19)} ${nameOfOffset(minutes)})`;
}

/** Minutes that the clocks of `timeZone` are ahead of UTC. */
function offsetIn(timeZone: string, ms: number): number {
  const parts = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' }).formatToParts(ms);
  const [, sign, hours, minutes] =
    /([+-])(\d\d):(\d\d)/.exec(parts.find(({ type }) => type === 'timeZoneName')!.value) ?? [];
  return sign === undefined ? 0 : Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes));
}

/** `GMT+1`, `GMT-3:30`. */
function nameOfOffset(minutes: number): string {
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `GMT${minutes < 0 ? '-' : '+'}${hours}${rest === 0 ? '' : `:${String(rest).padStart(2, '0')}`}`;
}

/** A time that is written in full (RFC 3339, UTC) also in local time; what is no time stays as it is. */
export function withLocal(text: string, timeZone?: string): string {
  const ms = parseRfc3339(text);
  return ms === undefined ? text : formatUtcAndLocal(ms, timeZone).replace(formatUtc(ms), text);
}
