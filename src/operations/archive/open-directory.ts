/**
 * A directory while its entries come in: every entry has a slot, in order; slots are filled as contents get known, and flow into the tree
 * as soon as all before them are there.
 */

import type { Id } from '../../base/ids.ts';
import type { TreeBuilder } from '../../repository/tree-builder.ts';
import type { Meta } from '../../sources/entry.ts';
import type { PreviousCursor, WrittenNodes } from './previous-cursor.ts';

/** Fills a slot whose entry could not be kept. */
export const OMITTED = new Uint8Array(0);

export interface DirectoryParts {
  readonly name: Buffer;
  readonly meta: Meta;
  readonly builder: TreeBuilder;
  readonly parent: { readonly directory: OpenDirectory; readonly slot: number } | undefined;
  /** The same directory in the earlier point. */
  readonly previousTree: Id | undefined;
  /** Called once all slots are filled after `close`. */
  readonly onComplete: (directory: OpenDirectory) => void;
}

export class OpenDirectory {
  readonly parts: DirectoryParts;
  cursor: PreviousCursor | undefined;
  #slots: (Uint8Array | undefined)[] = [];
  /** Slots before this number have gone into the tree. */
  #flushed = 0;
  #closed = false;
  /** Nodes that go over from the earlier tree as they stand; they share one slot, the last. */
  #written: { readonly slot: number; nodes: WrittenNodes } | undefined;
  /** All nodes of the earlier tree, when this one is the same; they have not gone into the builder. */
  same: WrittenNodes | undefined;

  constructor(parts: DirectoryParts) {
    this.parts = parts;
  }

  /** Opens the next slot. */
  reserve(): number {
    this.#endWritten();
    return this.#flushed + this.#slots.push(undefined) - 1;
  }

  add(encodedNode: Uint8Array): void {
    this.fill(this.reserve(), encodedNode);
  }

  /** Adds nodes as they stand in the earlier tree. */
  addWritten(nodes: WrittenNodes): void {
    const before = this.#written?.nodes;
    if (this.#written !== undefined && before?.end === nodes.start - 1)
      this.#written.nodes = { ...nodes, start: before.start };
    else this.#written = { slot: this.reserve(), nodes };
  }

  fill(slot: number, encodedNode: Uint8Array): void {
    this.#slots[slot - this.#flushed] = encodedNode;
    if (slot === this.#flushed) this.#flush();
  }

  close(): void {
    const written = this.#written;
    const isAll = this.#flushed === 0 && this.#slots.length === 1;
    if (written !== undefined && isAll && written.nodes.text.isAll(written.nodes.start, written.nodes.end)) {
      this.same = written.nodes;
      this.#slots = [];
      this.#written = undefined;
    }
    this.#endWritten();
    this.#closed = true;
    if (this.#slots.length === 0) this.parts.onComplete(this);
  }

  #endWritten(): void {
    const written = this.#written;
    if (written === undefined) return;
    this.#written = undefined;
    const { text, start, end } = written.nodes;
    this.fill(written.slot, text.bytes.subarray(start, end));
  }

  #flush(): void {
    const slots = this.#slots;
    let count = 0;
    for (; count < slots.length; count++) {
      const encoded = slots[count];
      if (encoded === undefined) break;
      if (encoded !== OMITTED) this.parts.builder.add(encoded);
    }
    this.#slots = count === slots.length ? [] : slots.slice(count);
    this.#flushed += count;
    if (this.#closed && this.#slots.length === 0) this.parts.onComplete(this);
  }
}
