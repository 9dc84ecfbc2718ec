/** A restore point opened for reading: where its app's directory is, which sources it has, what its manifest says. */
import { Failure } from '../base/failure.ts';
import { type Id, shortId } from '../base/ids.ts';
import { nearest } from '../base/suggest.ts';
import type { IndexedRepository } from '../repository/indexed-repository.ts';
import type { StoredSnapshot } from '../repository/snapshots.ts';
import type { TreeNode } from '../repository/trees.ts';
import type { Manifest } from './manifest.ts';
import { readManifest } from './read-manifest.ts';

export interface OpenedPoint {
  readonly stored: StoredSnapshot;
  /** Undefined for a snapshot that another program made: its top-level directories then count as sources. */
  readonly app: string | undefined;
  /** The tree of the app's directory. */
  readonly root: Id;
  /** What is in it: the sources and the manifest. */
  readonly nodes: readonly TreeNode[];
  /** Undefined when the point has none, or one that cannot be read. */
  readonly manifest: Manifest | undefined;
}

export async function openPoint(indexed: IndexedRepository, stored: StoredSnapshot): Promise<OpenedPoint> {
  const app = stored.snapshot.tags?.find((tag) => tag.startsWith('app='))?.slice('app='.length);
  const root = app === undefined ? stored.snapshot.tree : await appTree(indexed, stored, app);
  const nodes = await indexed.readTree(root);
  const manifest = app === undefined ? undefined : await tryManifest(indexed, stored, app);
  return { stored, app, root, nodes, manifest };
}

/** The sources that are asked for, or all, in the order of the point. Throws `source_unknown`. */
export function pickSources(point: OpenedPoint, names: readonly string[]): TreeNode[] {
  const known = point.nodes.filter(({ type, name }) => type === 'dir' || (point.app === undefined && name.length > 0));
  if (names.length === 0) return known;
  const picked = names.map((wanted) => {
    const found = known.find(({ name }) => name.equals(Buffer.from(wanted)));
    if (found !== undefined) return found;
    const all = known.map(({ name }) => name.toString());
    const meant = nearest(wanted, all);
    throw new Failure('source_unknown', `Point ${shortId(point.stored.id)} has no source "${wanted}".`, {
      hint: meant === undefined ? `It has: ${all.join(', ')}.` : `Did you mean "${meant}"?`,
    });
  });
  return known.filter((node) => picked.includes(node));
}

async function appTree(indexed: IndexedRepository, { id, snapshot }: StoredSnapshot, app: string): Promise<Id> {
  const nodes = await indexed.readTree(snapshot.tree);
  const tree = nodes.find(({ name }) => name.equals(Buffer.from(app)))?.subtree;
  if (tree !== undefined) return tree;
  throw new Failure('data_damaged', `Point ${shortId(id)} does not hold the app "${app}" that it is tagged with.`);
}

/** A point restores without its manifest too; it is left undefined when it cannot be had. */
async function tryManifest(
  indexed: IndexedRepository,
  stored: StoredSnapshot,
  app: string,
): Promise<Manifest | undefined> {
  try {
    return await readManifest(indexed, stored, app);
  } catch (error) {
    indexed.repository.settings.signal?.throwIfAborted();
    if (error instanceof Failure) return undefined;
    throw error;
  }
}
