/** Memory that may be in use at once, shared by everybody who reads packs. */
export class Budget {
  #free: number;
  readonly #total: number;
  readonly #waiting: { readonly bytes: number; readonly resolve: () => void }[] = [];

  constructor(bytes: number) {
    this.#free = bytes;
    this.#total = bytes;
  }

  /** Runs `work` once `bytes` are free. More than the whole budget is allowed when nothing else is in use. */
  async use<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const share = Math.min(bytes, this.#total);
    if (this.#waiting.length > 0 || this.#free < share)
      await new Promise<void>((resolve) => this.#waiting.push({ bytes: share, resolve }));
    else this.#free -= share;
    try {
      return await work();
    } finally {
      this.#free += share;
      this.#wake();
    }
  }

  #wake(): void {
    for (let next = this.#waiting[0]; next !== undefined && next.bytes <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= next.bytes;
      next.resolve();
    }
  }
}

/** Calls `work` for every item, `parallel` at a time, and stops at the first failure. */
export async function eachOf<T>(items: Iterable<T>, parallel: number, work: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let failed = false;
  const next = async (): Promise<void> => {
    for (let step = iterator.next(); !step.done && !failed; step = iterator.next()) {
      try {
        await work(step.value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, next));
}
