/** File systems of their own, in memory, for tests of disks that are small, full, read-only or not mounted. */
import { mkdir } from 'node:fs/promises';
import { NEEDS, type Need } from './needs.ts';
import { run, runOk } from './run.ts';
import { tempDir } from './temp.ts';

/** Whether this process may mount: that takes root, and containers often refuse it even then. */
export async function mountable(): Promise<Need> {
  await using place = await tempDir();
  const { code } = await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', place.path]).catch(() => ({ code: 1 }));
  if (code === 0) await run('umount', [place.path]);
  return { skip: code === 0 ? false : `${NEEDS} the right to mount a file system` };
}

/** Mounts one at `path`, made if it is missing, with `options` such as `size=8m`; gone with the returned handle. */
export async function mountAt(path: string, options: string): Promise<AsyncDisposable> {
  await mkdir(path, { recursive: true });
  await runOk('mount', ['-t', 'tmpfs', '-o', options, 'none', path]);
  return { [Symbol.asyncDispose]: async () => void (await run('umount', [path])) };
}
