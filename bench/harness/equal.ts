/** Whether two directory trees hold the same: names, types, modes, modification times, link targets and every byte. */
import { runOk } from '../../test/support/run.ts';

const LIST = `cd "$1" && find . -mindepth 1 \\( -type f -printf '%P f %m %T@ %s\\n' -o -printf '%P %y %m %l\\n' \\) | LC_ALL=C sort`;

/** Throws with the first differences. */
export async function assertSameTree(expected: string, actual: string): Promise<void> {
  const [before, after] = await Promise.all([list(expected), list(actual)]);
  if (before !== after) throw new Error(`${actual} is not as ${expected}: ${firstDifference(before, after)}`);
  await runOk('diff', ['-rq', '--no-dereference', expected, actual], { timeoutMs: 600_000 });
}

async function list(directory: string): Promise<string> {
  // Times are compared to the microsecond: what all programs here keep.
  const { stdout } = await runOk('sh', ['-c', LIST, 'sh', directory], { timeoutMs: 600_000 });
  return stdout.replaceAll(/(\.\d{6})\d{4}(?= )/g, '$1');
}

function firstDifference(before: string, after: string): string {
  const [a, b] = [before.split('\n'), after.split('\n')];
  const at = a.findIndex((line, i) => line !== b[i]);
  return `"${a[at]}" against "${b[at]}"`;
}
