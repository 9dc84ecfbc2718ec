/** Which clusters the archive of an app is of: those of its base backups, and those that archived for its sources. */
import type { Repository } from '../../repository/repository.ts';
import { listSnapshots } from '../../repository/snapshots.ts';
import { foldApp, isFold } from '../../wal/fold-book.ts';
import { pointsOf } from '../points.ts';
import { readBases } from './bases.ts';
import { clustersOf } from './clusters.ts';

/** System identifiers. */
export async function appClusters(repository: Repository, app: string): Promise<ReadonlySet<string>> {
  const list = await listSnapshots(repository);
  const { bases } = await readBases(repository, pointsOf(list, app));
  const folded = list.snapshots.filter((snapshot) => isFold(snapshot) && foldApp(snapshot) === app);
  const tagged = folded.flatMap(({ snapshot: { tags = [] } }) => tags.filter((tag) => tag.startsWith('cluster=')));
  return new Set([
    ...bases.map(({ systemIdentifier }) => systemIdentifier),
    ...(await clustersOf(repository, app)),
    ...tagged.map((tag) => tag.slice('cluster='.length)),
  ]);
}
