/**
 * Cuts a stream of bytes where its content says so, so that an insertion moves no later cut: content-defined chunking with a gear hash
 * (FastCDC's normalised form). Readers do not care where blobs are cut; only deduplication does. See `docs/decisions/0002-chunker.md`.
 *
 * The rule, for a chunk that starts at `s`: the first position `p` in `[s + minSize, s + normalSize)` whose hash of the 64 bytes before
 * it is below a strict threshold; else the first in `[s + normalSize, s + maxSize)` below a loose one; else `s + maxSize`; else the end.
 */
import { wasmModule } from '../../base/wasm.ts';
import { gearTable, thresholds } from './gear-table.ts';

interface Exports {
  table(): number;
  base(): number;
  scan(from: number, to: number, threshold: bigint): number;
}

export interface ChunkerOptions {
  /** No chunk is shorter, except the last of a stream. At least 64 bytes. */
  readonly minSize?: number;
  /** Up to here a cut is made hard to find, beyond it easy: sizes gather around it. */
  readonly normalSize?: number;
  /** No chunk is longer. */
  readonly maxSize?: number;
  /**
   * 32 secret bytes that choose the hash. Chunks of a known file have known sizes; with a seed derived from the repository's key,
   * somebody who sees sizes only cannot tell the file by them. The same seed is needed to cut alike.
   */
  readonly seed?: Uint8Array;
}

const KIB = 1024;
const PAGE = 65536;

const gear = wasmModule<Exports>(new URL('./gear.wasm', import.meta.url));

export class Chunker {
  readonly minSize: number;
  readonly normalSize: number;
  readonly maxSize: number;
  /** Where the caller puts the bytes to be cut: a window of WebAssembly memory of twice `maxSize`. */
  readonly buffer: Uint8Array;
  readonly #scan: Exports['scan'];
  readonly #base: number;
  readonly #strict: bigint;
  readonly #loose: bigint;

  constructor(options: ChunkerOptions = {}) {
    this.minSize = options.minSize ?? 512 * KIB;
    this.normalSize = options.normalSize ?? 768 * KIB;
    this.maxSize = options.maxSize ?? 8192 * KIB;
    if (!(this.minSize >= 64 && this.minSize <= this.normalSize && this.normalSize <= this.maxSize)) {
      throw new RangeError('chunk sizes must be 64 <= minSize <= normalSize <= maxSize');
    }
    const wasm = gear();
    this.#base = wasm.base();
    this.#scan = wasm.scan;
    const capacity = 2 * this.maxSize;
    wasm.memory.grow(Math.ceil((this.#base + capacity - wasm.memory.buffer.byteLength) / PAGE) + 1);
    new BigUint64Array(wasm.memory.buffer, wasm.table(), 256).set(gearTable(options.seed));
    this.buffer = new Uint8Array(wasm.memory.buffer, this.#base, capacity);
    ({ strict: this.#strict, loose: this.#loose } = thresholds(this.normalSize));
  }

  /**
   * The end of the chunk that begins at `start` of `buffer`, whose bytes are valid up to `end`; `end` itself when `last` says that the
   * stream ends there. 0 when the bytes do not decide yet: the caller then moves what is left to the front of the buffer, fills it up
   * and asks again. Filling it whole each time keeps the work linear, since a chunk that was not decided is looked at again.
   */
  cut(start: number, end: number, last: boolean): number {
    const limit = Math.min(end, start + this.maxSize);
    const cut =
      this.#search(start + this.minSize, Math.min(limit, start + this.normalSize), this.#strict) ||
      this.#search(start + this.normalSize, limit, this.#loose);
    if (cut !== 0) return cut;
    return last || limit === start + this.maxSize ? limit : 0;
  }

  #search(from: number, to: number, threshold: bigint): number {
    if (from >= to) return 0;
    const found = this.#scan(this.#base + from, this.#base + to, threshold);
    return found === 0 ? 0 : found - this.#base;
  }
}
