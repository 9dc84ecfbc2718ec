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
const TAIL_BITS = 80n;
const RECORD_ID = /^[0-9a-hjkmnp-tv-z]{26}$/;

let newest = { at: -1, tail: 0n };

/**
 * A name for a record made at `now` (ms since the epoch): 26 digits of base 32, ten of them the time, the others chance. Sorts by time; ids
 * that one process makes in the same millisecond sort in the order of their making.
 */
export function newId(now: number): string {
  const tail = newest.at === now ? newest.tail + 1n : BigInt(`0x${randomBytes(10).toString('hex')}`) >> 1n;
  newest = { at: now, tail };
  return base32(BigInt(now), TIME_DIGITS) + base32(BigInt.asUintN(Number(TAIL_BITS), tail), TAIL_DIGITS);
}

/** Smaller than every id made at `time` (ms since the epoch) or later, and larger than all made before. */
export function idFloor(time: number): string {
  return base32(BigInt(Math.max(0, Math.trunc(time))), TIME_DIGITS) + '0'.repeat(TAIL_DIGITS);
}

/** Whether `text` has the form that `newId` gives. */
export function isRecordId(text: string): boolean {
  return RECORD_ID.test(text);
}

function base32(value: bigint, digits: number): string {
  let text = '';
  for (let rest = value; text.length < digits; rest >>= 5n) text = DIGITS[Number(rest & 31n)] + text;
  return text;
}
