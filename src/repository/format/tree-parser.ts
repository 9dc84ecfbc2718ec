/**
 * Bytes to trees, in pieces: a directory of a million files is half a gigabyte of JSON, which is never held whole.
 *
 * What is left of a piece is kept and read again once it has doubled, so that a node in many pieces costs linear time.
 */
import { Failure } from '../../base/failure.ts';
import { JsonScanner, TruncatedJson } from './json-scanner.ts';
import { NodeReader } from './node-reader.ts';
import type { TreeNode } from './tree-node.ts';

/** A node may be as long as its list of blobs makes it; everything else in it, and what stands between nodes, stays below this. */
const MAX_REST = 16 * 1024 * 1024;
const PIECE = 256 * 1024;
const NODES = Buffer.from('nodes');

type Stage = 'before' | 'first' | 'nodes' | 'after' | 'done';

export class TreeParser {
  readonly #scanner = new JsonScanner();
  readonly #reader = new NodeReader(this.#scanner);
  #stage: Stage = 'before';
  /** Bytes not understood yet: `#kept[0 … #keptSize]`. */
  #kept = Buffer.alloc(0);
  #keptSize = 0;
  /** Do not try again before this many bytes are kept. */
  #retryAt = 0;

  /** Takes the next piece, however small or large, and returns the nodes it completes. Throws `data_damaged`. */
  push(chunk: Uint8Array): TreeNode[] {
    if (this.#keptSize === 0) return this.#parse(chunk, chunk.length);
    this.#keep(chunk);
    return this.#keptSize < this.#retryAt ? [] : this.#parseKept();
  }

  /** Says that there is no more; returns the nodes that were still waiting. Throws `data_damaged` unless the tree is complete. */
  end(): TreeNode[] {
    const nodes = this.#parseKept();
    if (this.#stage !== 'done') throw new Failure('data_damaged', 'A tree is cut short.');
    return nodes;
  }

  #parseKept(): TreeNode[] {
    const kept = this.#kept;
    const size = this.#keptSize;
    this.#keptSize = 0;
    return this.#parse(kept, size);
  }

  #parse(bytes: Uint8Array, size: number): TreeNode[] {
    const nodes: TreeNode[] = [];
    const scanner = this.#scanner.reset(bytes, 0, size);
    let done = 0;
    this.#reader.contentSpan = 0;
    try {
      while (!scanner.atEnd()) {
        this.#step(nodes);
        done = scanner.at;
      }
    } catch (error) {
      if (!(error instanceof TruncatedJson)) throw error;
      this.#leave(bytes, done, size);
    }
    return nodes;
  }

  #leave(bytes: Uint8Array, from: number, to: number): void {
    if (to - from - this.#reader.contentSpan > MAX_REST) {
      throw new Failure('data_damaged', `A node of a tree is larger than ${MAX_REST} bytes without its content.`);
    }
    this.#keep(bytes.subarray(from, to));
    this.#retryAt = 2 * this.#keptSize;
  }

  #keep(bytes: Uint8Array): void {
    const size = this.#keptSize + bytes.length;
    if (size > this.#kept.length) {
      const larger = Buffer.allocUnsafe(Math.max(size, Math.min(2 * size, size + MAX_REST)));
      larger.set(this.#kept.subarray(0, this.#keptSize));
      this.#kept = larger;
    }
    this.#kept.set(bytes, this.#keptSize);
    this.#keptSize = size;
  }

  /** Reads one unit of the text; either all of it, or it throws and is repeated with more bytes. */
  #step(nodes: TreeNode[]): void {
    switch (this.#stage) {
      case 'before':
        this.#openTree();
        break;
      case 'first':
      case 'nodes':
        this.#nextNode(nodes);
        break;
      case 'after':
        this.#closeTree();
        break;
      case 'done':
        this.#scanner.fail('something follows the tree');
    }
  }

  /** Everything up to the list of nodes. Other members are passed over. */
  #openTree(): void {
    const scanner = this.#scanner;
    scanner.openObject();
    for (let first = true; scanner.nextMember(first); first = false) {
      if (!scanner.is(NODES)) scanner.skip();
      else if (scanner.takeNull()) {
        this.#stage = 'after';
        return;
      } else {
        scanner.openArray();
        this.#stage = 'first';
        return;
      }
    }
    scanner.fail('a tree has no nodes');
  }

  #nextNode(nodes: TreeNode[]): void {
    const first = this.#stage === 'first';
    if (this.#scanner.nextElement(first)) {
      nodes.push(this.#reader.read());
      this.#stage = 'nodes';
    } else this.#stage = 'after';
  }

  #closeTree(): void {
    const scanner = this.#scanner;
    while (scanner.nextMember(false)) {
      if (scanner.is(NODES)) scanner.fail('a tree has two lists of nodes');
      scanner.skip();
    }
    this.#stage = 'done';
  }
}

/** The nodes of a tree that is at hand whole, made as they are asked for. */
function* iterateTree(bytes: Uint8Array): Generator<TreeNode> {
  const parser = new TreeParser();
  for (let at = 0; at < bytes.length; at += PIECE) yield* parser.push(bytes.subarray(at, at + PIECE));
  yield* parser.end();
}

/** All nodes of a tree at once. */
export function parseTree(bytes: Uint8Array): TreeNode[] {
  return [...iterateTree(bytes)];
}
