/** On which mounted file system a directory lies, or would lie. */
import { readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errno } from '../../base/errno.ts';
import { mountPointOf, mountPoints } from '../../base/mount-table.ts';

/** Undefined where the kernel does not tell. */
export async function findMountPoint(path: string): Promise<string | undefined> {
  const table = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  return mountPointOf(await resolved(path), mountPoints(table));
}

/** The path without symbolic links, as far as it exists. */
async function resolved(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const above = dirname(path);
    if (errno(error) !== 'ENOENT' || above === path) throw error;
    return join(await resolved(above), path.slice(above.length));
  }
}
