/** How each storage stands: reachable, with every point that retention left there, without known damage. */
import type { RemovalSet } from '../../repository/meta-removals.ts';
import { inMask } from '../../repository/replicas.ts';
import type { Repository } from '../../repository/repository.ts';
import type { StoredSnapshot } from '../../repository/snapshots.ts';

export interface StorageStatus {
  readonly storage: string;
  /** `behind`: lacks points that nobody removed from it · `damaged`: something in it is known to be wrong · `lost`: cannot be used. */
  readonly state: 'good' | 'behind' | 'damaged' | 'lost';
  /** How many of the app's points it holds, and how many it should hold besides. */
  readonly points: number;
  readonly missing: number;
  /** Its own error, where there is one. */
  readonly message: string | null;
}

export function storageStatuses(
  repository: Repository,
  points: readonly StoredSnapshot[],
  damaged: ReadonlySet<string>,
  removals: RemovalSet,
): StorageStatus[] {
  const open = repository.replicas.map((replica): StorageStatus => {
    const absent = points.filter(({ mask }) => inMask([replica], mask).length === 0);
    const missing = absent.filter(({ id }) => removals.find(id, replica.name) === undefined).length;
    const state = damaged.has(replica.name) ? 'damaged' : missing > 0 ? 'behind' : 'good';
    return { storage: replica.name, state, points: points.length - absent.length, missing, message: null };
  });
  const lost = repository.lost.map(
    ({ name, failure }): StorageStatus => ({
      storage: name,
      state: 'lost',
      points: 0,
      missing: 0,
      message: failure.message,
    }),
  );
  return [...open, ...lost];
}
