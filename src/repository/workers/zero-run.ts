/**
 * The long runs of zeros of sparse files: a chunk of zeros is cut, hashed and stored once, and the same stretch after it is recognised by
 * comparing bytes, which is many times as fast. Where a chunk ends depends on the bytes of the chunk alone, so the cuts are the same.
 */
export class ZeroRun {
  /** Id of the known chunk of zeros. */
  readonly id = new Uint8Array(32);
  #zeros = Buffer.alloc(0);

  /** Where a chunk ends that begins at `start` of `window` and is the known chunk of zeros once more; 0 when it is not. */
  repeats(window: Uint8Array, start: number, end: number): number {
    const cut = start + this.#zeros.length;
    if (cut === start || cut > end || window[start] !== 0 || window[cut - 1] !== 0) return 0;
    return this.#zeros.compare(window, start, cut) === 0 ? cut : 0;
  }

  /** Hears of a chunk that its content, not the end of the file, brought to its end; it is stored under the id that `ids` begins with. */
  learn(chunk: Uint8Array, ids: Uint8Array): void {
    if (chunk[0] !== 0 || chunk.at(-1) !== 0 || chunk.length === this.#zeros.length) return;
    const zeros = Buffer.alloc(chunk.length); // never written to, its pages take no memory
    if (zeros.compare(chunk) !== 0) return;
    this.#zeros = zeros;
    this.id.set(ids.subarray(0, 32));
  }
}
