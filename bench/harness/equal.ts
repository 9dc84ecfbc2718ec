/** Whether two directory trees hold the same: names, types, modes, modification times, link targets and every byte. */
import { runOk } from '../../test/support/run.ts';

const LIST = `cd "$1" && find . -mindepth 1 \\( -type f -printf '%P f %m %s\\t%T@\\n' -o -printf '%P %y %m %l\\n' \\) | LC_ALL=C sort`;

/** Seconds by which modification times may differ: not every program can set all nine digits. */
const TIME_TOLERANCE = 2e-6;

/** Throws with the first difference. */
export async function assertSameTree(expected: string, actual: string): Promise<void> {
  const [before, after] = await Promise.all([list(expected), list(actual)]);
  const length = Math.max(before.length, after.length);
  for (let i = 0; i < length; i++) {
    if (!isSame(before[i], after[i])) throw new Error(`${actual}: "${after[i]}" instead of "${before[i]}"`);
  }
  await runOk('diff', ['-rq', '--no-dereference', expected, actual], { timeoutMs: 600_000 });
}

async function list(directory: string): Promise<string[]> {
  const { stdout } = await runOk('sh', ['-c', LIST, 'sh', directory], { timeoutMs: 600_000 });
  return stdout.split('\n');
}

function isSame(before: string | undefined, after: string | undefined): boolean {
  if (before === undefined || after === undefined) return false;
  const [[what, time], [restored, restoredTime]] = [before.split('\t'), after.split('\t')];
  return what === restored && Math.abs(Number(time ?? 0) - Number(restoredTime ?? 0)) <= TIME_TOLERANCE;
}
