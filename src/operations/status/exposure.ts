/** What would be lost of each source if the original were gone this moment: by the WAL archive where there is one, else by the newest point. */
import { formatDuration } from '../../base/durations.ts';
import { type StoredSnapshot, timeOf } from '../../repository/snapshots.ts';
import { tagsOf } from '../points.ts';
import type { Exposure } from './objectives.ts';

export interface SourceName {
  readonly name: string;
  readonly type: string;
}

/** `archived`: by source, the seconds of commits that the WAL archive lacks; null where that cannot be told. */
export function exposures(
  sources: readonly SourceName[],
  points: readonly StoredSnapshot[],
  archived: ReadonlyMap<string, number | null>,
  now: number,
): Exposure[] {
  return sources.map(({ name, type }) => {
    const seconds = archived.get(name);
    if (typeof seconds === 'number') return { source: name, type, seconds, because: 'not in the WAL archive yet' };
    const newest = points.findLast((point) => tagsOf(point)?.sources.includes(name));
    if (newest === undefined) return { source: name, type, seconds: null, because: 'no point holds it' };
    const age = Math.max(0, now - timeOf(newest));
    const why = seconds === null ? 'the WAL archive does not lead here; ' : '';
    return { source: name, type, seconds: age / 1000, because: `${why}the newest point is ${formatDuration(age)} old` };
  });
}
