/** Gaps in the archived log that a point follows: history, told by the moments that are lost. */
import { formatUtcAndLocal } from '../../base/relative-time.ts';
import type { SourceWalStatus } from '../../operations/wal-status.ts';

type Gap = SourceWalStatus['gaps'][number];

/** A status tells of the newest ones only. */
const MOST = 3;

export function lostMoments({ from, to }: Pick<Gap, 'from' | 'to'>): string {
  const until = to === null ? 'the next point' : shown(to);
  return `moments ${from === null ? 'before' : `from ${shown(from)} to`} ${until} cannot be restored`;
}

/** One line for each of the newest ones, newest last, without who they belong to. */
export function pastGaps(gaps: readonly Gap[]): string[] {
  const past = gaps.filter(({ next_point: next }) => next !== null);
  const earlier = past.length - MOST;
  const more = earlier > 0 ? [`${earlier} earlier ${earlier === 1 ? 'gap' : 'gaps'}: holdfast wal status`] : [];
  return [...more, ...past.slice(-MOST).map(lostMoments)];
}

function shown(time: string): string {
  return formatUtcAndLocal(Date.parse(time));
}
