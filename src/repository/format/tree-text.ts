/**
 * A whole tree that is gone through beside a directory: what is still written in it as it would be written now need not be read, only
 * compared, and goes into the new tree as it stands.
 */
import { JsonScanner } from './json-scanner.ts';
import { NodeReader } from './node-reader.ts';
import { TREE_PREFIX, TREE_SUFFIX } from './tree-encoder.ts';
import type { TreeNode } from './tree-node.ts';

const COMMA = 0x2c;
const QUOTE = 0x22;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const CLOSE_NODE = 0x7d;
const ID_SIZE = 32;
/** Ids of a longer list are not compared here: the node is read. */
const MAX_IDS = 1024;
/** Longer heads (of nodes with large attributes) are not compared here either. In bytes. */
const MAX_HEAD = 16 * 1024;

const scratch = Buffer.allocUnsafeSlow(MAX_HEAD);
const foundIds = new Uint8Array(MAX_IDS * ID_SIZE);

export class TreeText {
  readonly bytes: Buffer;
  readonly #scanner = new JsonScanner();
  readonly #reader = new NodeReader(this.#scanner);
  /** The end of the node last passed. */
  #at = TREE_PREFIX.length;
  #isFirst = true;
  #isEnded = false;
  /** The end of the node that `fileWritten` found. */
  #foundEnd = 0;

  private constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.#scanner.reset(bytes);
  }

  /** Undefined for a tree that does not begin and end as we write it. */
  static of(bytes: Buffer): TreeText | undefined {
    const end = bytes.length - TREE_SUFFIX.length;
    const isOurs =
      end >= TREE_PREFIX.length &&
      bytes.subarray(0, TREE_PREFIX.length).equals(TREE_PREFIX) &&
      bytes.subarray(end).equals(TREE_SUFFIX);
    return isOurs ? new TreeText(bytes) : undefined;
  }

  /** Reads the next node; undefined at the end. Throws `data_damaged`. */
  next(): TreeNode | undefined {
    const scanner = this.#scanner;
    if (this.#isEnded) return undefined;
    scanner.at = this.#at;
    this.#isEnded = !scanner.nextElement(this.#isFirst);
    if (this.#isEnded) return undefined;
    const node = this.#reader.read();
    this.#advance(scanner.at);
    return node;
  }

  /**
   * Whether the next node is a file that is written exactly as `head` (see `encodeNodeHead`), a list of ids and nothing more. Gives the ids,
   * which are valid until the next call of any; `pass` then goes past the node.
   */
  fileWritten(head: string): Uint8Array | undefined {
    const { bytes } = this;
    const start = this.#nextStart();
    if (this.#isEnded || (!this.#isFirst && bytes[this.#at] !== COMMA) || head.length * 3 > MAX_HEAD) return undefined;
    const size = scratch.write(head);
    const list = start + size;
    if (list > bytes.length || bytes.compare(scratch, 0, size, start, list) !== 0) return undefined;
    return bytes[list] === OPEN_LIST ? this.#list(list + 1) : undefined;
  }

  /** Goes past the node that `fileWritten` found, and tells where it stands in `bytes`. */
  pass(): { readonly start: number; readonly end: number } {
    const start = this.#nextStart();
    this.#advance(this.#foundEnd);
    return { start, end: this.#foundEnd };
  }

  /** Whether the stretch holds all nodes of the tree. */
  isAll(start: number, end: number): boolean {
    return start === TREE_PREFIX.length && end === this.bytes.length - TREE_SUFFIX.length;
  }

  #nextStart(): number {
    return this.#isFirst ? this.#at : this.#at + 1;
  }

  #advance(end: number): void {
    this.#at = end;
    this.#isFirst = false;
  }

  #list(from: number): Uint8Array | undefined {
    const { bytes } = this;
    const scanner = this.#scanner;
    let at = from;
    let size = 0;
    while (bytes[at] === QUOTE && size < foundIds.length) {
      scanner.at = at;
      scanner.hexId(foundIds, size);
      size += ID_SIZE;
      at = scanner.at;
      if (bytes[at] !== COMMA) break;
      at++;
    }
    if (bytes[at] !== CLOSE_LIST || bytes[at - 1] === COMMA || bytes[at + 1] !== CLOSE_NODE) return undefined;
    this.#foundEnd = at + 2;
    return foundIds.subarray(0, size);
  }
}
