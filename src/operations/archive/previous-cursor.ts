/** Walks the nodes of an earlier tree alongside the current names; both are in ascending byte order. */
import { isFailure } from '../../base/failure.ts';
import type { TreeNode } from '../../repository/trees.ts';

export interface PreviousCursorOptions {
  /** Hears of every node that no name asked for. */
  readonly onSkipped?: (node: TreeNode) => void;
  /** A tree that cannot be read (further) counts as at its end: what it would have told unchanged is read again. */
  readonly tolerant?: boolean;
}

export class PreviousCursor {
  readonly #batches: AsyncIterator<readonly TreeNode[]>;
  readonly #onSkipped: (node: TreeNode) => void;
  readonly #tolerant: boolean;
  #batch: readonly TreeNode[] = [];
  #at = 0;
  #ended = false;

  constructor(nodes: AsyncIterable<readonly TreeNode[]>, options: PreviousCursorOptions = {}) {
    this.#batches = nodes[Symbol.asyncIterator]();
    this.#onSkipped = options.onSkipped ?? (() => {});
    this.#tolerant = options.tolerant ?? false;
  }

  /** The node of this name, `undefined` when there is none; a promise only where more nodes must be read. */
  seek(name: Buffer): TreeNode | undefined | Promise<TreeNode | undefined> {
    for (; this.#at < this.#batch.length; this.#at++) {
      const node = this.#batch[this.#at] as TreeNode;
      const order = Buffer.compare(node.name, name);
      if (order > 0) return undefined;
      if (order === 0) {
        this.#at++;
        return node;
      }
      this.#onSkipped(node);
    }
    return this.#ended ? undefined : this.#seekFurther(name);
  }

  /** Passes over everything that is left. */
  async finish(): Promise<void> {
    do {
      for (; this.#at < this.#batch.length; this.#at++) this.#onSkipped(this.#batch[this.#at] as TreeNode);
    } while (await this.#more());
  }

  /** Reads no further. */
  async leave(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#batch = [];
    await this.#batches.return?.();
  }

  async #seekFurther(name: Buffer): Promise<TreeNode | undefined> {
    return (await this.#more()) ? this.seek(name) : undefined;
  }

  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    const next = await this.#next();
    this.#ended = next.done === true;
    this.#batch = next.done === true ? [] : next.value;
    this.#at = 0;
    return !this.#ended;
  }

  async #next(): Promise<IteratorResult<readonly TreeNode[]>> {
    try {
      return await this.#batches.next();
    } catch (error) {
      if (this.#tolerant && isFailure(error)) return { done: true, value: undefined };
      throw error;
    }
  }
}
