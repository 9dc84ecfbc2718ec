/**
 * The newest point may hold less than the app: somebody made it of one source. Whoever asks for "latest" means everything, and has to hear
 * what is not in it before it is missed.
 */
import { Failure } from '../../base/failure.ts';
import { shortId } from '../../base/ids.ts';
import { formatUtcAndLocal } from '../../base/relative-time.ts';
import type { StoredSnapshot } from '../../repository/snapshots.ts';
import { tagsOf } from '../points.ts';
import type { Session } from '../session.ts';

export interface AskedFor {
  /** As on the command line: a point that is named by its id is meant as it is. */
  readonly word: string;
  /** Named with --source; none: all. */
  readonly sources: readonly string[];
  /** Comes from elsewhere: the database of a moment. */
  readonly apart?: string;
}

/**
 * `point`: the newest of `candidates` (oldest first). Throws `source_unknown` when a source that is asked for is not in it, but in an
 * earlier one.
 */
export function tellLeftOut(
  { progress }: Session,
  point: StoredSnapshot,
  candidates: readonly StoredSnapshot[],
  { word, sources: asked, apart }: AskedFor,
): void {
  if (word !== 'latest') return;
  const held = tagsOf(point)?.sources ?? [];
  const elsewhere = newestOfOthers(candidates, apart === undefined ? held : [...held, apart]);
  const wanted = asked.find((source) => elsewhere.has(source));
  if (wanted !== undefined) {
    const holder = elsewhere.get(wanted)!;
    throw new Failure('source_unknown', `The newest point ${shortId(point.id)} has no source "${wanted}".`, {
      hint: `The newest one that has it is ${described(holder)}: holdfast restore ${shortId(holder.id)} --source ${wanted}`,
    });
  }
  if (asked.length > 0 || elsewhere.size === 0) return;
  progress({
    type: 'warning',
    message: `The newest point ${shortId(point.id)} holds ${held.join(', ')} only, not ${[...elsewhere.keys()].join(', ')}.`,
    hint: `Newest point with ${[...elsewhere].map(([source, other]) => `${source}: ${described(other)}`).join('; ')}.`,
  });
}

/** The sources that `held` lacks, each with the newest point that has it. */
function newestOfOthers(
  candidates: readonly StoredSnapshot[],
  held: readonly string[],
): ReadonlyMap<string, StoredSnapshot> {
  const newest = new Map<string, StoredSnapshot>();
  for (const candidate of candidates) {
    for (const source of tagsOf(candidate)?.sources ?? []) if (!held.includes(source)) newest.set(source, candidate);
  }
  return newest;
}

function described({ id, snapshot }: StoredSnapshot): string {
  return `${shortId(id)} of ${formatUtcAndLocal(Date.parse(snapshot.time))}`;
}
