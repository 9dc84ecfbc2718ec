/** From the word on the command line to a point opened for reading. */
import { shortId } from '../../base/ids.ts';
import { type OpenedPoint, openPoint } from '../../recovery/point.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { listSnapshots, pickSnapshot, type StoredSnapshot } from '../../repository/snapshots.ts';
import { pointsOf } from '../points.ts';
import type { Session } from '../session.ts';

export interface FoundPoints {
  readonly indexed: IndexedRepository;
  readonly points: readonly OpenedPoint[];
  /** What the words were looked up among, oldest first. */
  readonly candidates: readonly StoredSnapshot[];
}

/** `prefixes`: first digits of ids, or `latest`. Without an app, all snapshots of the repository count. */
export async function findPoints(
  { repository, progress }: Session,
  app: string | undefined,
  prefixes: readonly string[],
): Promise<FoundPoints> {
  const list = await listSnapshots(repository);
  const candidates = app === undefined ? list.snapshots : pointsOf(list, app);
  const stored = prefixes.map((prefix) => pickSnapshot(candidates, prefix));
  for (const { id } of list.damaged) {
    const message = `The point object ${shortId(id)} cannot be read from any storage; there is a point that is not offered.`;
    progress({ type: 'warning', message, hint: 'Run "holdfast check", then "holdfast sync".' });
  }
  const indexed = await repository.loadIndex();
  for (const { id, failure } of indexed.damagedIndexes) {
    const message = `The index ${shortId(id)} cannot be read from any storage: ${failure.message}`;
    progress({ type: 'warning', message, hint: 'What only it names seems to be missing. Run "holdfast sync".' });
  }
  const points: OpenedPoint[] = [];
  for (const each of stored) points.push(await openPoint(indexed, each));
  return { indexed, points, candidates };
}
