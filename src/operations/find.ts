/** Every version of a file across the points of an app: `holdfast find`. */
import { hash } from 'node:crypto';
import { Failure } from '../base/failure.ts';
import { type Id, shortId } from '../base/ids.ts';
import { describeNode, type ListedNode, pathOf } from '../recovery/browse.ts';
import { openPoint } from '../recovery/point.ts';
import { PathPattern, type Position, startAt } from '../recovery/selection.ts';
import type { IndexedRepository } from '../repository/indexed-repository.ts';
import { listSnapshots, type StoredSnapshot } from '../repository/snapshots.ts';
import type { TreeNode } from '../repository/trees.ts';
import { pointsOf } from './points.ts';
import type { Session } from './session.ts';

export interface FindInput {
  readonly app: string;
  /** A name or pattern found anywhere; one with `/` counts from a source's root, or begins with a source's name. */
  readonly pattern: string;
}

/** The file as one point holds it. */
export interface FoundVersion {
  readonly point: Id;
  readonly short_id: string;
  /** The moment the point holds, RFC 3339. */
  readonly time: string;
  readonly type: ListedNode['type'];
  readonly size: number;
  readonly mtime: string;
  /** Numbers distinct contents of the path, 1 for the oldest: equal numbers, equal bytes. */
  readonly content: number;
}

export interface FoundPath {
  readonly path: string;
  /** Oldest point first. */
  readonly versions: readonly FoundVersion[];
}

const MAX_VERSIONS = 200_000;
/** Directories whose matches are remembered: most do not change from one point to the next. */
const MAX_REMEMBERED = 200_000;

interface Match {
  readonly names: readonly Buffer[];
  readonly node: TreeNode;
}

/** Empty when no point has a match. Throws `usage` when there are too many to be told. */
export async function find(session: Session, { app, pattern }: FindInput): Promise<FoundPath[]> {
  const { repository, progress } = session;
  const points = pointsOf(await listSnapshots(repository), app);
  const indexed = await repository.loadIndex();
  const finder = new Finder(indexed, pattern, session.signal);
  for (const [items, point] of points.entries()) {
    if (items === 0) progress({ type: 'step', step: 'find', title: 'looking', totalItems: points.length });
    await finder.point(point);
    progress({ type: 'advance', step: 'find', items: items + 1 });
  }
  if (points.length > 0) progress({ type: 'done', step: 'find', outcome: 'done' });
  return finder.result();
}

class Finder {
  readonly #indexed: IndexedRepository;
  readonly #pattern: string;
  readonly #signal: AbortSignal;
  readonly #paths = new Map<string, { versions: FoundVersion[]; contents: Map<string, number> }>();
  readonly #remembered = new Map<string, readonly Match[]>();
  #count = 0;

  constructor(indexed: IndexedRepository, pattern: string, signal: AbortSignal) {
    this.#indexed = indexed;
    this.#pattern = pattern.includes('/') ? pattern : `**/${pattern}`;
    this.#signal = signal;
  }

  async point(stored: StoredSnapshot): Promise<void> {
    const { nodes } = await openPoint(this.#indexed, stored);
    const pattern = new PathPattern(this.#pattern);
    const names = nodes.map(({ name }) => name.toString());
    for (const node of nodes) {
      if (node.subtree === undefined) continue;
      const position = startAt(node.name, names, [pattern]);
      if (position.taken) this.#add(stored, { names: [node.name], node });
      else if (!position.hopeless) {
        for (const match of await this.#directory([node.name], node.subtree, position)) this.#add(stored, match);
      }
    }
  }

  result(): FoundPath[] {
    return [...this.#paths]
      .map(([path, { versions }]) => ({ path, versions }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** The matches below a directory. The same tree at the same path has the same ones. */
  async #directory(above: readonly Buffer[], tree: Id, position: Position): Promise<readonly Match[]> {
    const key = `${tree} ${pathOf(above).toString('latin1')}`;
    const known = this.#remembered.get(key);
    if (known !== undefined) return known;
    const matches: Match[] = [];
    for await (const batch of this.#indexed.streamTree(tree)) {
      this.#signal.throwIfAborted();
      for (const node of batch) {
        const below = position.enter(node.name);
        const names = [...above, node.name];
        if (below.taken) matches.push({ names, node });
        else if (!below.hopeless && node.subtree !== undefined) {
          for (const match of await this.#directory(names, node.subtree, below)) matches.push(match);
        }
      }
    }
    if (this.#remembered.size < MAX_REMEMBERED) this.#remembered.set(key, matches);
    return matches;
  }

  #add({ id, snapshot }: StoredSnapshot, { names, node }: Match): void {
    if (++this.#count > MAX_VERSIONS) {
      throw new Failure('usage', `More than ${MAX_VERSIONS} files match.`, { hint: 'Give a narrower pattern.' });
    }
    const { path, type, size, mtime } = describeNode(names, node);
    const known = this.#paths.get(path) ?? { versions: [], contents: new Map<string, number>() };
    this.#paths.set(path, known);
    const fingerprint = fingerprintOf(node);
    const content = known.contents.get(fingerprint) ?? known.contents.size + 1;
    known.contents.set(fingerprint, content);
    known.versions.push({ point: id, short_id: shortId(id), time: snapshot.time, type, size, mtime, content });
  }
}

/** Equal for equal content: the blobs of a file, the tree of a directory, the target of a link. */
function fingerprintOf(node: TreeNode): string {
  const bytes = node.content ?? node.linkTarget ?? Buffer.from(node.subtree ?? '');
  return `${node.type} ${hash('sha256', bytes)}`;
}
