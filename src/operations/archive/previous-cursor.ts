/** Walks the nodes of an earlier tree alongside the current names; both are in ascending byte order. */
import { isFailure } from '../../base/failure.ts';
import { type TreeNode, TreeText } from '../../repository/trees.ts';

export interface PreviousCursorOptions {
  /** Hears of every node that no name asked for. */
  readonly onSkipped?: (node: TreeNode) => void;
  /** A tree that cannot be read (further) counts as at its end: what it would have told unchanged is read again. */
  readonly tolerant?: boolean;
}

/** Nodes as they stand in an earlier tree, one after the other. */
export interface WrittenNodes {
  readonly text: TreeText;
  readonly start: number;
  readonly end: number;
}

export class PreviousCursor {
  readonly #batches: AsyncIterator<TreeText | readonly TreeNode[]>;
  readonly #onSkipped: (node: TreeNode) => void;
  readonly #tolerant: boolean;
  /** Nodes that were read; of a tree that came as its text, at most the next one. */
  #batch: readonly TreeNode[] = [];
  #at = 0;
  #text: TreeText | undefined;
  #started = false;
  #ended = false;

  constructor(nodes: AsyncIterable<TreeText | readonly TreeNode[]>, options: PreviousCursorOptions = {}) {
    this.#batches = nodes[Symbol.asyncIterator]();
    this.#onSkipped = options.onSkipped ?? (() => {});
    this.#tolerant = options.tolerant ?? false;
  }

  /** Whether something was read yet: `text` is known from then on. */
  get isStarted(): boolean {
    return this.#started;
  }

  /** Reads what comes first, before any `seek`. */
  async start(): Promise<void> {
    await this.#more();
  }

  /**
   * Where the next node stands in the text of the earlier tree, if it is a file written exactly as `head` and `accepts` agrees with its blobs:
   * then it is passed over.
   */
  passWritten(head: string, accepts: (content: Uint8Array) => boolean): WrittenNodes | undefined {
    const text = this.#text;
    if (text === undefined || this.#ended || this.#at < this.#batch.length) return undefined;
    const content = this.#orEnd(() => text.fileWritten(head));
    return content !== undefined && accepts(content) ? { text, ...text.pass() } : undefined;
  }

  /** The node of this name, `undefined` when there is none; a promise only where more nodes must be read. */
  seek(name: Buffer): TreeNode | undefined | Promise<TreeNode | undefined> {
    do {
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
    } while (this.#readText());
    return this.#ended ? undefined : this.#seekFurther(name);
  }

  /** Passes over everything that is left. */
  async finish(): Promise<void> {
    do {
      for (; this.#at < this.#batch.length; this.#at++) this.#onSkipped(this.#batch[this.#at] as TreeNode);
    } while (this.#readText() || (await this.#more()));
  }

  /** Reads no further. */
  async leave(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#batch = [];
    await this.#batches.return?.();
  }

  /** The next node of the text. */
  #readText(): boolean {
    const text = this.#text;
    if (text === undefined || this.#ended) return false;
    const node = this.#orEnd(() => text.next());
    this.#ended = node === undefined;
    this.#batch = node === undefined ? [] : [node];
    this.#at = 0;
    return node !== undefined;
  }

  #orEnd<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!this.#tolerant || !isFailure(error)) throw error;
      this.#ended = true;
      return undefined;
    }
  }

  async #seekFurther(name: Buffer): Promise<TreeNode | undefined> {
    return (await this.#more()) ? this.seek(name) : undefined;
  }

  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    this.#started = true;
    const next = await this.#next();
    this.#ended = next.done === true;
    this.#at = 0;
    if (next.done !== true && next.value instanceof TreeText) {
      this.#text = next.value;
      this.#batch = [];
    } else this.#batch = next.done === true ? [] : (next.value as readonly TreeNode[]);
    return !this.#ended;
  }

  async #next(): Promise<IteratorResult<TreeText | readonly TreeNode[]>> {
    try {
      return await this.#batches.next();
    } catch (error) {
      if (this.#tolerant && isFailure(error)) return { done: true, value: undefined };
      throw error;
    }
  }
}
