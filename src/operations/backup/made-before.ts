/** A run that was cut off after its point became visible, and is carried out again: the point is the answer, a second one is not made. */
import { shortId } from '../../base/ids.ts';
import { readManifest } from '../../recovery/read-manifest.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { inMask } from '../../repository/replicas.ts';
import type { StoredSnapshot } from '../../repository/snapshots.ts';
import { tagsOf } from '../points.ts';
import type { BackUpOutcome } from './outcome.ts';

/** The point that the run made already. */
export function madeBefore(points: readonly StoredSnapshot[], run: string | undefined): StoredSnapshot | undefined {
  return run === undefined ? undefined : points.findLast((point) => tagsOf(point)?.run === run);
}

/** What that backup would have told; what it read of each source is not known any more. */
export async function outcomeOf(
  indexed: IndexedRepository,
  point: StoredSnapshot,
  { app, requiredCopies }: { readonly app: string; readonly requiredCopies: number },
): Promise<BackUpOutcome> {
  const manifest = await readManifest(indexed, point, app);
  const { replicas, lost } = indexed.repository;
  const holders = new Set(inMask(replicas, point.mask).map(({ name }) => name));
  const { summary } = point.snapshot;
  return {
    point: point.id,
    short_id: shortId(point.id),
    app,
    time: manifest.time,
    ...(manifest.label === undefined ? {} : { label: manifest.label }),
    sources: {},
    bytes: summary?.total_bytes_processed ?? 0,
    bytes_added: summary?.data_added ?? 0,
    bytes_stored: summary?.data_added_packed ?? 0,
    storages: Object.fromEntries([
      ...replicas.map(({ name }) => [name, holders.has(name) ? 'complete' : 'behind']),
      ...lost.map(({ name, failure }) => [name, failure.message]),
    ]),
    copies: holders.size,
    copies_required: requiredCopies,
    notices: manifest.notices,
    references: manifest.references.map(({ missingExamples: _listed, ...counts }) => counts),
    partial:
      holders.size < requiredCopies || manifest.notices.some(({ kind }) => kind === 'unreadable' || kind === 'damaged'),
    duration_s: 0,
  };
}
