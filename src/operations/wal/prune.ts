/**
 * Retention of the WAL archive, storage by storage: what no kept base backup needs goes. Decided while the storages are locked; a storage on
 * which a point cannot be read keeps everything.
 */
import type { Id } from '../../base/ids.ts';
import type { Removal } from '../../repository/meta-removals.ts';
import type { Replica } from '../../repository/replicas.ts';
import type { Repository } from '../../repository/repository.ts';
import type { SnapshotList, StoredSnapshot } from '../../repository/snapshots.ts';
import type { StoredPiece, WalArchive } from '../../wal/archive.ts';
import { foldApp, forgetFolds } from '../../wal/fold-book.ts';
import { trimGaps, type WalGap } from '../../wal/gaps.ts';
import { isUnneeded, type Needs, unneededPieces } from '../../wal/retention.ts';
import { forgetBases } from './bases.ts';
import { type ClusterNeeds, clusterNeeds } from './needs.ts';
import { recordWalRemovals } from './removals.ts';

export interface WalPrunePlan {
  /** Snapshots of folded WAL that go. */
  readonly folds: readonly Removal[];
  readonly loose: readonly LooseRemoval[];
  readonly clusters: readonly ClusterNeeds[];
  /** Points that there were. */
  readonly points: ReadonlySet<string>;
}

export interface LooseRemoval {
  readonly storage: string;
  readonly archive: WalArchive;
  readonly pieces: readonly StoredPiece[];
  /** Of the stored objects. */
  readonly bytes: number;
}

const WHY = 'no kept base backup needs it';

/** `going`: points that retention removes in the same run. */
export async function planWalPrune(
  repository: Repository,
  list: SnapshotList,
  going: readonly Removal[],
  dryRun: boolean,
): Promise<WalPrunePlan> {
  const gone = new Set(going.map(({ point, storage }) => `${storage} ${point}`));
  const isKept = ({ id }: StoredSnapshot, { name }: Replica) => !gone.has(`${name} ${id}`);
  const clusters = await clusterNeeds(repository, list, isKept, dryRun);
  const loose = clusters.flatMap(({ archive, inventory, byStorage }) =>
    repository.replicas.flatMap((replica): LooseRemoval[] => {
      const needs = byStorage.get(replica.name);
      const pieces = needs === undefined ? [] : unneededPieces(inventory.pieces, needs, replica.bit);
      const bytes = pieces.reduce((sum, { size }) => sum + size, 0);
      return pieces.length === 0 ? [] : [{ storage: replica.name, archive, pieces, bytes }];
    }),
  );
  return {
    folds: clusters.flatMap((cluster) => unneededFolds(repository, cluster)),
    loose,
    clusters,
    points: new Set(list.snapshots.map(({ id }) => id)),
  };
}

/** Removes the loose pieces from storages that were not left alone. Returns what a storage refused to remove, by storage. */
export async function executeWalPrune(
  repository: Repository,
  { loose, clusters, folds, points }: WalPrunePlan,
  isLeftAlone: (storage: string) => boolean,
): Promise<ReadonlyMap<string, number>> {
  const refused = new Map<string, number>();
  const wanted = loose.filter(({ storage }) => !isLeftAlone(storage));
  await recordWalRemovals(repository, wanted, WHY);
  for (const { storage, archive, pieces } of wanted) {
    const replica = repository.replica(storage);
    for (const stored of replica === undefined ? [] : pieces) {
      const { failures } = await archive.remove(stored, [replica!]);
      if (failures.size > 0) refused.set(storage, (refused.get(storage) ?? 0) + 1);
    }
  }
  await trimBooks(repository, clusters, folds);
  if (repository.lost.length === 0 && clusters.length > 0) await forgetBases(repository, (id) => !points.has(id));
  return refused;
}

/** Words about what is gone everywhere. */
async function trimBooks(repository: Repository, clusters: readonly ClusterNeeds[], folds: readonly Removal[]) {
  if (repository.lost.length > 0) return;
  const needed = (gap: WalGap): boolean => {
    const cluster = clusters.find(({ archive }) => archive.systemIdentifier === gap.systemIdentifier);
    const all = repository.replicas.map(({ name }) => cluster?.byStorage.get(name));
    return all.some(
      (needs) => needs === undefined || gap.end === undefined || !isUnneeded(needs, { ...gap, end: gap.end }),
    );
  };
  await trimGaps(repository, (gap) => !needed(gap));
  const counts = Map.groupBy(folds, ({ point }) => point);
  const gone = [...counts].filter(([, removals]) => removals.length === repository.replicas.length).map(([id]) => id);
  if (gone.length > 0) await forgetFolds(repository, gone);
}

function unneededFolds(repository: Repository, { archive, inventory, byStorage }: ClusterNeeds): Removal[] {
  const folds = Map.groupBy(
    inventory.pieces.filter(({ folded }) => folded),
    ({ piece }) => piece.hash,
  );
  return [...folds].flatMap(([point, pieces]) => {
    const snapshot = archive.foldOf(pieces[0]!.piece);
    const isGoing = (needs: Needs | undefined) =>
      needs !== undefined && pieces.every(({ piece }) => isUnneeded(needs, piece));
    const storages = repository.replicas.filter(
      ({ bit, name }) => (snapshot.mask & bit) !== 0 && isGoing(byStorage.get(name)),
    );
    return storages.map(({ name }) => removalOf(point, snapshot, name));
  });
}

function removalOf(point: Id, snapshot: StoredSnapshot, storage: string): Removal {
  return {
    point,
    storage,
    app: foldApp(snapshot) ?? '',
    pointTime: snapshot.snapshot.time,
    by: 'prune',
    why: `WAL: ${WHY}`,
  };
}
