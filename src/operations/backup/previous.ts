/** What earlier points know of the sources. */
import type { Id } from '../../base/ids.ts';
import type { SourceSettings } from '../../config/settings.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import type { StoredSnapshot } from '../../repository/snapshots.ts';
import { tagsOf } from '../points.ts';

/** For each source its tree in the newest of `points` that has it. */
export async function previousTrees(
  indexed: IndexedRepository,
  points: readonly StoredSnapshot[],
  app: string,
  sources: readonly SourceSettings[],
): Promise<Map<string, Id>> {
  const trees = new Map<string, Id>();
  const wanted = new Set(sources.map(({ name }) => name));
  for (const point of points.toReversed()) {
    if (wanted.size === 0) break;
    if (!tagsOf(point)?.sources.some((name) => wanted.has(name))) continue;
    try {
      for (const [name, tree] of await sourceTrees(indexed, point, app)) {
        if (wanted.delete(name)) trees.set(name, tree);
      }
    } catch {
      // An earlier point that cannot be read only costs the reading of what it would have told unchanged; "check" reports it.
    }
  }
  return trees;
}

/** The trees of a point's sources, by name. */
export async function sourceTrees(
  indexed: IndexedRepository,
  point: StoredSnapshot,
  app: string,
): Promise<Map<string, Id>> {
  const root = await indexed.readTree(point.snapshot.tree);
  const directory = root.find(({ name }) => name.toString('utf8') === app)?.subtree;
  if (directory === undefined) return new Map();
  const nodes = await indexed.readTree(directory);
  return new Map(
    nodes.flatMap(({ name, subtree }) => (subtree === undefined ? [] : [[name.toString('utf8'), subtree] as const])),
  );
}
