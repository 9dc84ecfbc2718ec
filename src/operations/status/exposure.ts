/** What would be lost of each source if the original were gone this moment: by the WAL archive where there is one, else by the newest point. */
import { formatDuration } from '../../base/durations.ts';
import { type StoredSnapshot, timeOf } from '../../repository/snapshots.ts';
import { tagsOf } from '../points.ts';
import type { Exposure } from './objectives.ts';

export interface SourceName {
  readonly name: string;
  readonly type: string;
}

/** What the WAL archive lacks of a database. */
interface Loss {
  /** Seconds of commits; null where that cannot be told. */
  readonly seconds: number | null;
  readonly because: string;
}

export function exposures(
  sources: readonly SourceName[],
  points: readonly StoredSnapshot[],
  archived: ReadonlyMap<string, Loss>,
  now: number,
): Exposure[] {
  return sources.map(({ name, type }) => {
    const loss = archived.get(name);
    if (loss !== undefined && loss.seconds !== null) return { source: name, type, ...loss };
    const newest = points.findLast((point) => tagsOf(point)?.sources.includes(name));
    if (newest === undefined) return { source: name, type, seconds: null, because: 'no point holds it' };
    const age = Math.max(0, now - timeOf(newest));
    const why = loss === undefined ? '' : `${loss.because}; `;
    return { source: name, type, seconds: age / 1000, because: `${why}the newest point is ${formatDuration(age)} old` };
  });
}
