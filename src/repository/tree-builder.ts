/** Collects the encoded nodes of one directory, in order, and stores the tree; a large one flows to a worker in parts as it grows. */
import { type Id, idFromBytes } from '../base/ids.ts';
import { TREE_PREFIX, TREE_SUFFIX } from './format/tree.ts';
import type { LocalTrees } from './local-trees.ts';
import type { SealPool } from './workers/seal-pool.ts';

const PART = 2 * 1024 * 1024;
const COMMA = Buffer.from(',');

let streams = 0;

export class TreeBuilder {
  readonly #pool: SealPool;
  readonly #local: LocalTrees | undefined;
  readonly #extents: ReturnType<LocalTrees['append']>[] = [];
  #parts: Uint8Array[] = [TREE_PREFIX];
  #size = TREE_PREFIX.length;
  #stream: number | undefined;
  #nodes = 0;
  #sent: Promise<unknown> = Promise.resolve();

  /** `local` keeps a copy of the tree on this machine. */
  constructor(pool: SealPool, local?: LocalTrees) {
    this.#pool = pool;
    this.#local = local;
  }

  /** Adds the next node, as `encodeNode` gives it. Resolves at once, except while a large tree is being handed on. */
  add(encodedNode: Uint8Array): void {
    if (this.#nodes++ > 0) this.#push(COMMA);
    this.#push(encodedNode);
    if (this.#size >= PART) this.#sendPart();
  }

  /** Instead of nodes and `finish`, where the tree turned out to be one that is stored already. */
  finishStored(id: Id, text: Uint8Array): void {
    if (this.#local?.has(id) === false) this.#local.keep(id, [this.#local.append(text)]);
  }

  /** Stores the tree and returns its 32-byte id. */
  async finish(): Promise<Uint8Array> {
    this.#push(TREE_SUFFIX);
    const id = await this.#storeRest(this.#take());
    this.#local?.keep(idFromBytes(id), this.#extents);
    return id;
  }

  async #storeRest(rest: Uint8Array): Promise<Uint8Array> {
    if (this.#stream === undefined) return this.#pool.storeBlobs(true, [rest]);
    await this.#sent;
    return this.#pool.storeTreePart(this.#stream, rest, true);
  }

  #push(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#size += bytes.length;
  }

  #sendPart(): void {
    this.#stream ??= streams++;
    const stream = this.#stream;
    const part = this.#take();
    this.#sent = this.#sent.then(() => this.#pool.storeTreePart(stream, part, false));
    this.#sent.catch(() => {});
  }

  #take(): Uint8Array {
    const bytes = new Uint8Array(this.#size);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#size = 0;
    if (this.#local !== undefined) this.#extents.push(this.#local.append(bytes));
    return bytes;
  }
}
