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
import type { FoundPoints } from './find-point.ts';

/** `asked`: sources named by the operator. Throws `source_unknown` when one of them is not in the newest point, but in an earlier one. */
export function tellLeftOut(
  { progress }: Session,
  { points, candidates }: FoundPoints,
  { point: word, sources: asked }: { readonly point: string; readonly sources: readonly string[] },
): void {
  const latest = points[0]?.stored;
  if (word !== 'latest' || latest === undefined) return;
  const held = tagsOf(latest)?.sources ?? [];
  const elsewhere = newestOfOthers(candidates, held);
  const wanted = asked.find((source) => elsewhere.has(source));
  if (wanted !== undefined) {
    throw new Failure('source_unknown', `The newest point ${shortId(latest.id)} has no source "${wanted}".`, {
      hint: `The newest one that has it: ${described(elsewhere.get(wanted)!)}. Name that instead of "latest".`,
    });
  }
  if (asked.length > 0 || elsewhere.size === 0) return;
  progress({
    type: 'warning',
    message: `The newest point ${shortId(latest.id)} holds ${held.join(', ')} only, not ${[...elsewhere.keys()].join(', ')}.`,
    hint: `Newest point with ${[...elsewhere].map(([source, point]) => `${source}: ${described(point)}`).join('; ')}.`,
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
