/**
 * Nanoseconds since the Unix epoch and RFC 3339 text, as Go writes it: up to nine fraction digits, trailing zeros cut, no fraction when
 * it is zero. Always in UTC: another zone would give the same tree other bytes, and so no deduplication.
 */
import { Failure } from '../../base/failure.ts';

const SECOND = 1_000_000_000n;
const SECONDS_A_DAY = 86_400;
/** The years 0000 to 9999, which the format can write; times beyond are written as the nearest of them. */
const MIN_SECONDS = -62_167_219_200;
const MAX_SECONDS = 253_402_300_799;

const TWO_DIGITS = Array.from({ length: 100 }, (_, value) => String(value).padStart(2, '0'));

/** The day last written; neighbours in a tree mostly share theirs. */
let lastDay = Number.NaN;
let lastDate = '';

/** RFC 3339 text of `ns`. */
export function formatTime(ns: bigint): string {
  let seconds = Number(ns / SECOND);
  let fraction = Number(ns % SECOND);
  if (fraction < 0) {
    fraction += 1e9;
    seconds--;
  }
  if (seconds < MIN_SECONDS) return '0000-01-01T00:00:00Z';
  if (seconds > MAX_SECONDS) return '9999-12-31T23:59:59Z';
  const day = Math.floor(seconds / SECONDS_A_DAY);
  if (day !== lastDay) {
    lastDate = formatDate(day);
    lastDay = day;
  }
  const rest = seconds - day * SECONDS_A_DAY;
  const hours = TWO_DIGITS[Math.floor(rest / 3600)];
  const minutes = TWO_DIGITS[Math.floor(rest / 60) % 60];
  return `${lastDate}T${hours}:${minutes}:${TWO_DIGITS[rest % 60]}${formatFraction(fraction)}Z`;
}

function formatFraction(nanoseconds: number): string {
  if (nanoseconds === 0) return '';
  const digits = String(1e9 + nanoseconds);
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === 0x30) end--;
  return `.${digits.slice(1, end)}`;
}

/** Civil date of a day number (0 is 1970-01-01), by Howard Hinnant's `civil_from_days`. */
function formatDate(day: number): string {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${String(year).padStart(4, '0')}-${TWO_DIGITS[month]}-${TWO_DIGITS[dayOfMonth]}`;
}

/** Day number of a civil date, by Howard Hinnant's `days_from_civil`. */
function dayNumber(year: number, month: number, day: number): number {
  const shiftedYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(shiftedYear / 400);
  const yearOfEra = shiftedYear - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Nanoseconds since the epoch of RFC 3339 text, in any zone. Throws `data_damaged`. */
export function parseTime(text: string): bigint {
  return parseTimeBytes(Buffer.from(text, 'latin1'), 0, text.length);
}

/** `parseTime` of the ASCII bytes `[from, to)`. */
export function parseTimeBytes(bytes: Uint8Array, from: number, to: number): bigint {
  const year = number(bytes, from, 4, to, 9999);
  const month = number(bytes, from + 5, 2, to, 12);
  const day = number(bytes, from + 8, 2, to, 31);
  const hours = number(bytes, from + 11, 2, to, 23);
  const minutes = number(bytes, from + 14, 2, to, 59);
  const seconds = number(bytes, from + 17, 2, to, 60);
  const separators = bytes[from + 4] === 0x2d && bytes[from + 7] === 0x2d && bytes[from + 13] === 0x3a;
  const separator = bytes[from + 10]! | 0x20;
  if (!separators || bytes[from + 16] !== 0x3a || separator !== 0x74 || month < 1 || day < 1) throw malformed();
  let at = from + 19;
  let nanoseconds = 0;
  if (bytes[at] === 0x2e) {
    const begin = ++at;
    for (let unit = 1e8; at < to && isDigit(bytes[at]!); at++, unit /= 10) {
      if (at - begin < 9) nanoseconds += (bytes[at]! - 0x30) * unit;
    }
    if (at === begin) throw malformed();
  }
  const sinceEpoch = dayNumber(year, month, day) * SECONDS_A_DAY + hours * 3600 + minutes * 60 + seconds;
  return BigInt(sinceEpoch - zoneOffset(bytes, at, to)) * SECOND + BigInt(nanoseconds);
}

/** Seconds east of UTC, from `Z` or `±hh:mm` that fill `[at, to)`. */
function zoneOffset(bytes: Uint8Array, at: number, to: number): number {
  const sign = bytes[at];
  if ((sign === 0x5a || sign === 0x7a) && at + 1 === to) return 0;
  if ((sign !== 0x2b && sign !== 0x2d) || at + 6 !== to || bytes[at + 3] !== 0x3a) throw malformed();
  const offset = number(bytes, at + 1, 2, to, 23) * 3600 + number(bytes, at + 4, 2, to, 59) * 60;
  return sign === 0x2d ? -offset : offset;
}

function number(bytes: Uint8Array, at: number, digits: number, to: number, max: number): number {
  if (at + digits > to) throw malformed();
  let value = 0;
  for (let i = at; i < at + digits; i++) {
    if (!isDigit(bytes[i]!)) throw malformed();
    value = value * 10 + bytes[i]! - 0x30;
  }
  if (value > max) throw malformed();
  return value;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function malformed(): Failure {
  return new Failure('data_damaged', 'A time in the repository is not RFC 3339.');
}
