/** One directory of a point, node by node, without holding all of it. */
import type { Id } from '../base/ids.ts';
import type { IndexedRepository } from '../repository/indexed-repository.ts';
import type { TreeNode } from '../repository/trees.ts';

export class TreeCursor {
  readonly #batches: AsyncIterator<readonly TreeNode[]> | undefined;
  #batch: readonly TreeNode[] = [];
  #at = 0;

  /** Without a tree there are no nodes. */
  constructor(indexed: IndexedRepository, tree: Id | undefined) {
    this.#batches = tree === undefined ? undefined : indexed.streamTree(tree)[Symbol.asyncIterator]();
  }

  /** The node at hand, or undefined at the end; `advance` goes on to the next. */
  async peek(): Promise<TreeNode | undefined> {
    while (this.#at === this.#batch.length) {
      const next = await this.#batches?.next();
      if (next === undefined || next.done === true) return undefined;
      this.#batch = next.value;
      this.#at = 0;
    }
    return this.#batch[this.#at];
  }

  advance(): void {
    this.#at += 1;
  }
}
