/** CACHEDIR.TAG, by which programs mark a directory as a cache that need not be backed up (https://bford.info/cachedir/). */
import { closeSync, constants, openSync, readSync } from 'node:fs';

export const CACHE_TAG = 'CACHEDIR.TAG';
const SIGNATURE = 'Signature: 8a477f597d28d172789f06886806bc55';

/** Whether the regular file at `path` begins with the signature. A file that cannot be read marks nothing. */
export function isCacheTag(path: Buffer): boolean {
  let handle: number;
  try {
    handle = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return false;
  }
  try {
    const head = Buffer.alloc(SIGNATURE.length);
    return readSync(handle, head, 0, head.length, 0) === head.length && head.toString('latin1') === SIGNATURE;
  } catch {
    return false;
  } finally {
    closeSync(handle);
  }
}
