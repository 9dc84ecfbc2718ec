/** A record that is wanted and comes in several parts: over pages, or over calls. */

/** Of a longer record (a commit of millions of subtransactions) only this much is kept; it is then told as if it were malformed. */
const MAX_GATHERED = 64 * 1024 * 1024;
const FIRST = 16 * 1024;

export class Gathered {
  #bytes: Uint8Array;
  #length = 0;

  /** `total` is what the record says of itself: memory is taken as its bytes really come. */
  constructor(total: number) {
    this.#bytes = new Uint8Array(Math.min(total, FIRST));
  }

  add(part: Uint8Array): void {
    const taken = Math.min(part.length, MAX_GATHERED - this.#length);
    const length = this.#length + taken;
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.min(MAX_GATHERED, Math.max(length, 2 * this.#bytes.length)));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(taken === part.length ? part : part.subarray(0, taken), this.#length);
    this.#length = length;
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}
