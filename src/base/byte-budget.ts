/** A bound on bytes in memory: whoever wants more waits for its turn. One request larger than the whole budget is let through alone. */

interface Waiting {
  readonly bytes: number;
  readonly resolve: () => void;
}

export class ByteBudget {
  readonly #total: number;
  readonly #queue: Waiting[] = [];
  #taken = 0;

  constructor(total: number) {
    this.#total = total;
  }

  /** Resolves when `bytes` fit, in the order of asking; disposing of the result gives them back. */
  async take(bytes: number): Promise<Disposable> {
    if (this.#queue.length > 0 || !this.#fits(bytes)) {
      await new Promise<void>((resolve) => this.#queue.push({ bytes, resolve }));
    } else this.#taken += bytes;
    return { [Symbol.dispose]: () => this.#give(bytes) };
  }

  /** Runs `work` while it holds `bytes`. */
  async use<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    using _share = await this.take(bytes);
    return await work();
  }

  #fits(bytes: number): boolean {
    return this.#taken === 0 || this.#taken + bytes <= this.#total;
  }

  #give(bytes: number): void {
    this.#taken -= bytes;
    for (let next = this.#queue[0]; next !== undefined && this.#fits(next.bytes); next = this.#queue[0]) {
      this.#queue.shift();
      this.#taken += next.bytes;
      next.resolve();
    }
  }
}
