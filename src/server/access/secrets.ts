/** Random texts that open something, and their hashes: what is kept never opens anything. */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { isRecordId } from '../../base/ids.ts';

const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';
const SECRET_BITS = 256;

/** 256 bits for a cookie, a state, a verifier. */
export function newSecret(): string {
  return randomBytes(SECRET_BITS / 8).toString('base64url');
}

/** Enough for what has 80 random bits or more: nobody guesses those, however fast the hash. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret);
}

/** In a time that does not tell where they differ. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(hashSecret(a)), Buffer.from(hashSecret(b)));
}

/** A code to be typed: `groups` of `length` digits without i, l, o and u. */
export function newCode(groups: number, length: number): string {
  return Array.from({ length: groups }, () => randomDigits(length)).join('-');
}

/** As it was made, however it was typed: capitals, spaces, an o for a zero. */
export function typedCode(typed: string): string {
  return typed.toLowerCase().replace(/[\s-]/g, '').replaceAll('o', '0').replace(/[il]/g, '1');
}

/** The same for what `hashSecret` made. */
export function sameHash(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function randomDigits(count: number): string {
  return Array.from(randomBytes(count), (byte) => DIGITS[byte & 31]).join('');
}

const PREFIX = 'hft_';
const ID_DIGITS = 26;
const SECRET_DIGITS = 52;
const SUM_DIGITS = 7;
const TOKEN = new RegExp(
  `^${PREFIX}([${DIGITS}]{${ID_DIGITS}})([${DIGITS}]{${SECRET_DIGITS}})([${DIGITS}]{${SUM_DIGITS}})$`,
);

/**
 * `hft_`, the id, 260 random bits, a checksum over all of it: a mistyped or shortened token is refused without a look into the catalog, and
 * whoever searches texts for secrets knows one when they see it.
 */
export function newToken(id: string): string {
  const body = PREFIX + id + randomDigits(SECRET_DIGITS);
  return body + checksum(body);
}

/** The id of a token, or undefined when it is none. */
export function tokenId(token: string): string | undefined {
  const [, id, , sum] = TOKEN.exec(token) ?? [];
  return id !== undefined && isRecordId(id) && checksum(token.slice(0, -SUM_DIGITS)) === sum ? id : undefined;
}

function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (; digits.length < SUM_DIGITS; rest = Math.floor(rest / DIGITS.length))
    digits = DIGITS[rest % DIGITS.length] + digits;
  return digits;
}
