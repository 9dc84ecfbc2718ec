/**
 * Making a directory and those above it. Node's own `mkdir` with `recursive` never comes back where a file system answers "no such
 * directory" to a new name in a directory that is there: /proc, automounts, some file systems of FUSE.
 */
import { mkdirSync, statSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** `mode` holds for every directory that is made. Rejects with the error of the operating system; what is there already is none. */
export async function makeDirectories(path: string, mode?: number): Promise<void> {
  const refused = await tryToMake(path, mode);
  if (refused === undefined) return;
  const above = dirname(path);
  if (refused.code !== 'ENOENT' || above === path) throw refused;
  await makeDirectories(above, mode);
  const again = await tryToMake(path, mode);
  if (again !== undefined) throw again;
}

/** The error of a directory that could not be made and is not there. */
async function tryToMake(path: string, mode: number | undefined): Promise<NodeJS.ErrnoException | undefined> {
  try {
    await mkdir(path, mode);
    return undefined;
  } catch (error) {
    const there = await stat(path).catch(() => undefined);
    return there?.isDirectory() ? undefined : (error as NodeJS.ErrnoException);
  }
}

/** The same for what cannot wait. Throws. */
export function makeDirectoriesSync(path: string, mode?: number): void {
  const refused = tryToMakeSync(path, mode);
  if (refused === undefined) return;
  const above = dirname(path);
  if (refused.code !== 'ENOENT' || above === path) throw refused;
  makeDirectoriesSync(above, mode);
  const again = tryToMakeSync(path, mode);
  if (again !== undefined) throw again;
}

function tryToMakeSync(path: string, mode: number | undefined): NodeJS.ErrnoException | undefined {
  try {
    mkdirSync(path, mode);
    return undefined;
  } catch (error) {
    return isDirectory(path) ? undefined : (error as NodeJS.ErrnoException);
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
