/**
 * A queue between a socket that pushes and a reader that pulls. It says when the socket must pause, so that memory stays bounded,
 * and hands the reader an error only after everything that arrived before it.
 */
export interface Flow {
  pause(): void;
  resume(): void;
}

export class Inbox<T> {
  readonly #flow: Flow;
  readonly #limit: number;
  #items: { readonly item: T; readonly weight: number }[] = [];
  #head = 0;
  #weight = 0;
  #paused = false;
  #closed = false;
  #error: unknown;
  #waiting: (() => void) | undefined;

  /** `limit`: weight (bytes, usually) from which on the socket is paused; it resumes below half of it. */
  constructor(limit: number, flow: Flow) {
    this.#limit = limit;
    this.#flow = flow;
  }

  push(item: T, weight: number): void {
    this.#items.push({ item, weight });
    this.#weight += weight;
    if (!this.#paused && this.#weight >= this.#limit) {
      this.#paused = true;
      this.#flow.pause();
    }
    this.#wake();
  }

  /** No more items will come; the reader gets what is left, then `undefined`. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** No more items will come; the reader gets what is left, then `error` is thrown. */
  fail(error: unknown): void {
    if (this.#closed) return;
    this.#error = error;
    this.close();
  }

  /** The next item, `undefined` at the end; throws what `fail` was given. One reader at a time. */
  async take(): Promise<T | undefined> {
    while (this.#head === this.#items.length) {
      if (this.#closed) {
        if (this.#error !== undefined) throw this.#error;
        return undefined;
      }
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    return this.#shift();
  }

  #shift(): T {
    const { item, weight } = this.#items[this.#head++]!;
    if (this.#head === this.#items.length || this.#head > 256) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    this.#weight -= weight;
    if (this.#paused && this.#weight < this.#limit / 2) {
      this.#paused = false;
      this.#flow.resume();
    }
    return item;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }
}
