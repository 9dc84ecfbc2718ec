/**
 * Trees of this run, kept on this machine because no storage has them yet: the second reading of a source is compared with the first.
 * One unlinked temporary file, so that nothing is left behind by a crash; it takes about 350 bytes a file of the source.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Id } from '../base/ids.ts';
import { type TreeNode, TreeParser } from './format/tree.ts';

const READ = 256 * 1024;

interface Extent {
  readonly offset: number;
  readonly length: number;
}

/** Something that can give a tree's nodes in order, in batches. */
export interface TreeSource {
  streamTree(id: Id): AsyncIterable<readonly TreeNode[]>;
}

export class LocalTrees implements TreeSource, Disposable {
  readonly #fd: number;
  readonly #trees = new Map<Id, readonly Extent[]>();
  #end = 0;

  constructor() {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-'));
    try {
      this.#fd = openSync(join(directory, 'trees'), 'wx+', 0o600);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }

  /** Keeps part of a tree; `keep` then names the tree that the parts make. Synchronous: the buffer is given away afterwards. */
  append(bytes: Uint8Array): Extent {
    const extent = { offset: this.#end, length: bytes.length };
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at, bytes.length - at, this.#end + at);
    this.#end += bytes.length;
    return extent;
  }

  keep(id: Id, extents: readonly Extent[]): void {
    this.#trees.set(id, extents);
  }

  has(id: Id): boolean {
    return this.#trees.has(id);
  }

  async *streamTree(id: Id): AsyncGenerator<readonly TreeNode[]> {
    const parser = new TreeParser();
    const buffer = Buffer.allocUnsafe(READ);
    for (const { offset, length } of this.#trees.get(id) ?? []) {
      for (let at = 0; at < length; ) {
        const got = readSync(this.#fd, buffer, 0, Math.min(READ, length - at), offset + at);
        if (got === 0) throw new RangeError('the spool of trees is shorter than it was written');
        at += got;
        yield parser.push(Buffer.from(buffer.subarray(0, got)));
      }
    }
    parser.end();
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
