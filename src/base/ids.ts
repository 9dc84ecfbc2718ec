/** Ids. Branded ones are born in parsers: text that has such a type has been checked. */
import { randomBytes } from 'node:crypto';

declare const brand: unique symbol;

/** 64 lower-case hex digits: the SHA-256 of an object's stored bytes, or of a blob's plaintext. */
export type Id = string & { readonly [brand]: 'Id' };

const HEX64 = /^[0-9a-f]{64}$/;

export function isId(text: string): text is Id {
  return HEX64.test(text);
}

/** Parses an id; throws a RangeError on anything that is not 64 lower-case hex digits. */
export function id(text: string): Id {
  if (!isId(text)) throw new RangeError(`not an id (64 hex digits): ${JSON.stringify(text.slice(0, 80))}`);
  return text;
}

/** The id whose 32 bytes stand at `bytes[offset…]`. */
export function idFromBytes(bytes: Uint8Array, offset = 0): Id {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, 32).toString('hex') as Id;
}

/** The form people see: the first eight digits. */
export function shortId(id: Id): string {
  return id.slice(0, 8);
}

const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';
const TIME_DIGITS = 10;
const TAIL_DIGITS = 16;
const RECORD_ID = /^[0-9a-hjkmnp-tv-z]{26}$/;
/** Random bytes are fetched for so many ids at once. */
const POOL = 128;

let pool = new Uint8Array(0);
/** The time of the newest id, and the digits after it, each 0 to 31. */
const newest = { at: -1, tail: new Uint8Array(TAIL_DIGITS) };

/**
 * A name for a record made at `now` (ms since the epoch): 26 digits of base 32, ten of them the time, the others chance. Sorts by time; ids
 * that one process makes in the same millisecond sort in the order of their making.
 */
export function newId(now: number): string {
  if (newest.at === now) increment(newest.tail);
  else newest.tail.set(randomTail());
  newest.at = now;
  let text = timeDigits(now);
  for (const digit of newest.tail) text += DIGITS[digit];
  return text;
}

/** The first digit is below 16: there is room to count on. */
function randomTail(): Uint8Array {
  if (pool.length < TAIL_DIGITS) pool = randomBytes(POOL * TAIL_DIGITS);
  const tail = pool.subarray(0, TAIL_DIGITS).map((byte, place) => byte & (place === 0 ? 15 : 31));
  pool = pool.subarray(TAIL_DIGITS);
  return tail;
}

function increment(tail: Uint8Array): void {
  for (let place = TAIL_DIGITS - 1; place >= 0; place--) {
    tail[place] = (tail[place]! + 1) & 31;
    if (tail[place] !== 0) return;
  }
}

/** Smaller than every id made at `time` (ms since the epoch) or later, and larger than all made before. */
export function idFloor(time: number): string {
  return timeDigits(Math.max(0, Math.trunc(time))) + '0'.repeat(TAIL_DIGITS);
}

/** Whether `text` has the form that `newId` gives. */
export function isRecordId(text: string): boolean {
  return RECORD_ID.test(text);
}

function timeDigits(time: number): string {
  let text = '';
  for (let rest = time; text.length < TIME_DIGITS; rest = Math.floor(rest / 32)) text = DIGITS[rest % 32] + text;
  return text;
}
