/** Streams into blobs: cut at given offsets. */
import type { SealPool } from '../../repository/workers-api.ts';
import { WORK_AHEAD } from './context.ts';

/** Used where a source does not ask for another grain. */
const DEFAULT_GRAIN = 1024 * 1024;

export interface StoredContent {
  /** The ids of the blobs, one after the other. */
  readonly content: Promise<Uint8Array>;
  /** Bytes. */
  readonly size: number;
}

/** Where a stream is cut. */
export interface StreamCuts {
  /** Lengths of the first pieces. */
  readonly lengths?: Uint32Array;
  /** Length of those after them. */
  readonly grain: number;
}

/** Resolves when the stream is consumed; `content` follows when the workers are done, so that many small files are under way at once. */
export async function storeStream(
  pool: SealPool,
  chunks: AsyncIterable<Uint8Array>,
  cuts: StreamCuts = { grain: DEFAULT_GRAIN },
  expectedSize = cuts.grain,
): Promise<StoredContent> {
  const cutter = new StreamCutter(pool, cuts, expectedSize);
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      at += cutter.take(chunk, at);
      if (cutter.handedOver) await pool.below(WORK_AHEAD);
    }
  }
  return cutter.finish();
}

/** Blocks go to the workers four at a time, which are hashed at once, or as many fours as make this many bytes. */
const GROUP = 4;
const GROUP_BYTES = 512 * 1024;

class StreamCutter {
  readonly #pool: SealPool;
  readonly #cuts: StreamCuts;
  readonly #expectedSize: number;
  readonly #ids: Promise<Uint8Array>[] = [];
  #group: Uint8Array[] = [];
  #groupBytes = 0;
  #cut = 0;
  /** Length of the piece at hand. */
  #piece: number;
  #block: Uint8Array;
  #filled = 0;
  #size = 0;
  /** Whether the last `take` gave work to the pool. */
  handedOver = false;

  constructor(pool: SealPool, cuts: StreamCuts, expectedSize: number) {
    this.#pool = pool;
    this.#cuts = cuts;
    this.#expectedSize = expectedSize;
    this.#piece = this.#nextPiece();
    this.#block = this.#newBlock();
  }

  /** Takes what fits into the block at hand from `chunk[at…]`; returns how much that is. */
  take(chunk: Uint8Array, at: number): number {
    this.handedOver = false;
    if (this.#filled === this.#block.length) this.#block = grow(this.#block, this.#piece);
    const taken = Math.min(this.#block.length - this.#filled, chunk.length - at);
    this.#block.set(chunk.subarray(at, at + taken), this.#filled);
    this.#filled += taken;
    if (this.#filled === this.#piece) {
      this.#endBlock();
      this.#piece = this.#nextPiece();
      this.#block = this.#newBlock();
    }
    return taken;
  }

  finish(): StoredContent {
    if (this.#filled > 0) this.#endBlock();
    this.#send();
    const content = Promise.all(this.#ids).then((parts) => Buffer.concat(parts));
    content.catch(() => {}); // awaited by the caller, unless something else fails before
    return { content, size: this.#size };
  }

  #nextPiece(): number {
    return this.#cuts.lengths?.[this.#cut++] || this.#cuts.grain;
  }

  #newBlock(): Uint8Array {
    // not zeroed, and with nothing else in its memory: it is filled before it is given away
    return new Uint8Array(
      Buffer.allocUnsafeSlow(Math.min(this.#piece, Math.max(this.#expectedSize - this.#size, 1))).buffer,
    );
  }

  #endBlock(): void {
    this.#group.push(this.#filled === this.#block.length ? this.#block : this.#block.slice(0, this.#filled));
    this.#size += this.#filled;
    this.#groupBytes += this.#filled;
    this.#filled = 0;
    if (this.#group.length % GROUP === 0 && this.#groupBytes >= GROUP_BYTES) this.#send();
  }

  #send(): void {
    if (this.#group.length === 0) return;
    const stored = this.#pool.storeBlobs(false, this.#group);
    stored.catch(() => {}); // awaited in `finish`, unless the stream itself fails before
    this.#ids.push(stored);
    this.#group = [];
    this.#groupBytes = 0;
    this.handedOver = true;
  }
}

/** The source said the file was shorter than it is. */
function grow(block: Uint8Array, grain: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.min(grain, block.length * 2 + 4096));
  larger.set(block);
  return larger;
}
