/** Which directories are mount points: those cannot be renamed, whatever is mounted there. */
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

export async function isMountPoint(path: string): Promise<boolean> {
  if (path === '/' || (await mounted()).has(path)) return true;
  const [own, above] = await Promise.all([stat(path), stat(dirname(path))]);
  return own.dev !== above.dev;
}

/** The mount points that the kernel tells; the fifth field, with space, tab, newline and backslash as octal digits. */
async function mounted(): Promise<ReadonlySet<string>> {
  const table = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  const points = table.split('\n').map((line) => line.split(' ')[4] ?? '');
  return new Set(
    points.map((point) =>
      point.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8))),
    ),
  );
}
