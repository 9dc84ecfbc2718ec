/** Which directories are mount points: those cannot be renamed, whatever is mounted there. */
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { mountPoints } from '../../base/mount-table.ts';

export async function isMountPoint(path: string): Promise<boolean> {
  if (path === '/' || (await mounted()).has(path)) return true;
  const [own, above] = await Promise.all([stat(path), stat(dirname(path))]);
  return own.dev !== above.dev;
}

async function mounted(): Promise<ReadonlySet<string>> {
  return mountPoints(await readFile('/proc/self/mountinfo', 'utf8').catch(() => ''));
}
