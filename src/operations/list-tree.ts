/** What a point holds at a path: `holdfast ls`. */
import { type Id, shortId } from '../base/ids.ts';
import { describeNode, type ListedNode, locate } from '../recovery/browse.ts';
import type { IndexedRepository } from '../repository/indexed-repository.ts';
import { findPoints } from './restore/find-point.ts';
import type { Session } from './session.ts';

export type { ListedNode } from '../recovery/browse.ts';

export interface ListTreeInput {
  readonly app: string | undefined;
  readonly point: string;
  /** Relative to the app's directory; empty for the directory itself. */
  readonly path: string | Buffer;
  readonly recursive: boolean;
}

export interface ListTreeOutcome {
  readonly point: Id;
  readonly short_id: string;
  readonly entries: number;
}

/** Hands the entries over in batches, in order; stops when `visit` says false. Throws `point_unknown`, `path_unknown`. */
export async function listTree(
  session: Session,
  input: ListTreeInput,
  visit: (entries: readonly ListedNode[]) => Promise<boolean>,
): Promise<ListTreeOutcome> {
  const { indexed, points } = await findPoints(session, input.app, [input.point]);
  const point = points[0]!;
  const { names, node, tree } = await locate(indexed, point, input.path);
  const walk = new Listing(indexed, input.recursive, session.signal, visit);
  if (tree !== undefined) await walk.directory(names, tree);
  else if (node !== undefined) await walk.hand([describeNode(names, node)]);
  return { point: point.stored.id, short_id: shortId(point.stored.id), entries: walk.entries };
}

class Listing {
  entries = 0;
  readonly #indexed: IndexedRepository;
  readonly #recursive: boolean;
  readonly #signal: AbortSignal;
  readonly #visit: (entries: readonly ListedNode[]) => Promise<boolean>;

  constructor(
    indexed: IndexedRepository,
    recursive: boolean,
    signal: AbortSignal,
    visit: (entries: readonly ListedNode[]) => Promise<boolean>,
  ) {
    this.#indexed = indexed;
    this.#recursive = recursive;
    this.#signal = signal;
    this.#visit = visit;
  }

  async hand(entries: readonly ListedNode[]): Promise<boolean> {
    this.#signal.throwIfAborted();
    this.entries += entries.length;
    return this.#visit(entries);
  }

  /** False when nobody wants more. */
  async directory(above: readonly Buffer[], tree: Id): Promise<boolean> {
    for await (const batch of this.#indexed.streamTree(tree)) {
      let waiting: ListedNode[] = [];
      for (const node of batch) {
        const names = [...above, node.name];
        waiting.push(describeNode(names, node));
        if (!this.#recursive || node.subtree === undefined) continue;
        if (!(await this.hand(waiting))) return false;
        waiting = [];
        if (!(await this.directory(names, node.subtree))) return false;
      }
      if (waiting.length > 0 && !(await this.hand(waiting))) return false;
    }
    return true;
  }
}
