/** What each storage must hold of each archived cluster, from the base backups that it keeps. */
import type { Replica } from '../../repository/replicas.ts';
import type { Repository } from '../../repository/repository.ts';
import type { SnapshotList, StoredSnapshot } from '../../repository/snapshots.ts';
import { archivedClusters, WalArchive, type WalInventory } from '../../wal/archive.ts';
import { isFold } from '../../wal/fold-book.ts';
import { type Needs, needsOf } from '../../wal/retention.ts';
import { tagsOf } from '../points.ts';
import { type Base, readBases } from './bases.ts';

export interface ClusterNeeds {
  readonly archive: WalArchive;
  readonly inventory: WalInventory;
  /** By storage. Absent: what its points need cannot be told, so everything is. */
  readonly byStorage: ReadonlyMap<string, Needs>;
}

/** `isKept` leaves out points that are about to go from a storage. */
export async function clusterNeeds(
  repository: Repository,
  list: SnapshotList,
  isKept: (point: StoredSnapshot, replica: Replica) => boolean = () => true,
  readOnly = false,
): Promise<ClusterNeeds[]> {
  const clusters = new Set((await archivedClusters(repository)).keys());
  for (const { snapshot } of list.snapshots.filter((each) => isFold(each)))
    for (const tag of snapshot.tags ?? []) if (tag.startsWith('cluster=')) clusters.add(tag.slice('cluster='.length));
  if (clusters.size === 0) return [];
  const points = list.snapshots.filter((each) => tagsOf(each) !== undefined);
  const { bases, unknown } = await readBases(repository, points, { readOnly });
  const isTold = ({ bit }: Replica) => ![...unknown, ...list.damaged].some(({ mask }) => (mask & bit) !== 0);
  const found: ClusterNeeds[] = [];
  for (const cluster of clusters) {
    const archive = new WalArchive(repository, cluster);
    const inventory = await archive.list();
    const histories = await archive.histories(inventory);
    const timelines = new Set(inventory.pieces.map(({ piece }) => piece.timeline));
    const segmentSize = inventory.pieces[0]?.piece.segmentSize ?? 1;
    const kept = (replica: Replica) =>
      bases.filter((base) => isBaseOf(base, cluster, replica) && isKept(base.point, replica));
    const byStorage = repository.replicas
      .filter(isTold)
      .map((replica) => [replica.name, needsOf(kept(replica), histories, timelines, segmentSize)] as const);
    found.push({ archive, inventory, byStorage: new Map(byStorage) });
  }
  return found;
}

function isBaseOf({ systemIdentifier, point }: Base, cluster: string, { bit }: Replica): boolean {
  return systemIdentifier === cluster && (point.mask & bit) !== 0;
}
