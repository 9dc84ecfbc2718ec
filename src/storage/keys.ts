/**
 * Which keys a storage may hold. Checked by every driver before a key becomes a path or a URL, so that nothing read from a hostile
 * storage can climb out of it.
 */
import { Failure } from '../base/failure.ts';

/** Longest key in characters; S3 allows 1,024 bytes for prefix and key together. */
export const MAX_KEY_LENGTH = 768;

const KEY = /^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/;
const PREFIX = /^(?:[A-Za-z0-9._-]+\/)*[A-Za-z0-9._-]*$/;
const DOTS = /(?:^|\/)\.{1,2}(?:\/|$)/;
const TEMPORARY = /-tmp-[0-9a-f]+$/;
const SEALED = /(?:^|[/.])[0-9a-f]{64}$/;

/** Whether `key` may name an object. Names of temporary files (`…-tmp-<hex>`) may not. */
export function isKey(key: string): boolean {
  return key.length <= MAX_KEY_LENGTH && KEY.test(key) && !DOTS.test(key) && !TEMPORARY.test(key);
}

/** Whether the key ends in a name of 64 hex digits, alone or after a dot: an object named by the hash of its bytes, which never changes. */
export function isSealedName(key: string): boolean {
  return SEALED.test(key);
}

/** Whether this is what we or restic call a file that is still being written. */
export function isTemporaryName(name: string): boolean {
  return TEMPORARY.test(name);
}

/** The name of a temporary file beside `name`; `random` is hex digits. */
export function temporaryName(name: string, random: string): string {
  return `${name}-tmp-${random}`;
}

/** Throws unless `key` may name an object. */
export function checkKey(key: string): void {
  if (isKey(key)) return;
  throw new Failure('internal', `Not a key for a storage: ${JSON.stringify(key.slice(0, 200))}.`);
}

/** Throws unless `prefix` (possibly empty, possibly ending within a name) may begin a key. */
export function checkPrefix(prefix: string): void {
  if (prefix.length <= MAX_KEY_LENGTH && PREFIX.test(prefix) && !DOTS.test(prefix)) return;
  throw new Failure('internal', `Not a prefix of keys in a storage: ${JSON.stringify(prefix.slice(0, 200))}.`);
}
