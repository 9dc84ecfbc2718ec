/** Where the files of a config source were: the reverse of how the source names what it stores. */
import { isAbsolute, join, normalize, resolve } from 'node:path';
import picomatch from 'picomatch';

/**
 * The absolute path of the file stored as `stored`, or undefined when no configured path chooses it. Files chosen by relative paths were
 * stored relative to `base`, all others as absolute paths without the leading slash.
 */
export function originOf(stored: string, paths: readonly string[], base: string): string | undefined {
  for (const path of paths) {
    const within = !isAbsolute(path) && !normalize(path).startsWith('..');
    if (within && chooses(normalize(path), stored)) return join(base, stored);
    if (!within && chooses(resolve(base, path), `/${stored}`)) return `/${stored}`;
  }
  return undefined;
}

function chooses(path: string, file: string): boolean {
  const directory = path.endsWith('/') ? path : `${path}/`;
  return path === '.' || path === file || file.startsWith(directory) || picomatch.isMatch(file, path, { dot: true });
}
