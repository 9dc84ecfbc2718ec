/** Where a user's Holdfast keeps what it can do without. XDG Base Directory Specification: absolute paths only. */
import { isAbsolute, join } from 'node:path';

/** Undefined where the environment names no place. */
export function cacheDirectory(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const { XDG_CACHE_HOME = '', HOME = '' } = env;
  if (isAbsolute(XDG_CACHE_HOME)) return join(XDG_CACHE_HOME, 'holdfast');
  return isAbsolute(HOME) ? join(HOME, '.cache', 'holdfast') : undefined;
}
