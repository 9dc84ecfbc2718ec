/**
 * Trees of this run, kept on this machine because no storage has them yet: the second reading of a source is compared with the first.
 * One unlinked temporary file, so that nothing is left behind by a crash; it takes about 350 bytes a file of the source.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Id } from '../base/ids.ts';
import { parseTree, type TreeNode, TreeParser, TreeText } from './format/tree.ts';

const READ = 256 * 1024;
/** Trees up to this size are held whole to be compared. */
const MAX_TEXT = 8 * 1024 * 1024;

interface Extent {
  readonly offset: number;
  readonly length: number;
}

/** Something that can give a tree's nodes in order, in batches. */
export interface TreeSource {
  streamTree(id: Id): AsyncIterable<readonly TreeNode[]>;
}

/** Trees that are gone through beside the directories that they were made of. */
export interface EarlierTrees extends TreeSource {
  /** Like `streamTree`, but a tree of moderate size comes as its text, alone. */
  walkTree(id: Id): AsyncIterable<TreeText | readonly TreeNode[]>;
}

export class LocalTrees implements EarlierTrees, Disposable {
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

  async *walkTree(id: Id): AsyncGenerator<TreeText | readonly TreeNode[]> {
    const extents = this.#trees.get(id) ?? [];
    const size = extents.reduce((sum, { length }) => sum + length, 0);
    if (size > MAX_TEXT) {
      yield* this.streamTree(id);
      return;
    }
    const bytes = Buffer.allocUnsafeSlow(size);
    let end = 0;
    for (const { offset, length } of extents)
      for (let at = 0; at < length; ) {
        const got = readSync(this.#fd, bytes, end, length - at, offset + at);
        if (got === 0) throw new RangeError('the spool of trees is shorter than it was written');
        at += got;
        end += got;
      }
    yield TreeText.of(bytes) ?? parseTree(bytes);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
