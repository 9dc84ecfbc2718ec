/** One signal out of several and a time limit, with nothing left behind once it is disposed of. */
export class Deadline implements Disposable {
  readonly signal: AbortSignal;
  /** Whether it was the time that ended it. */
  late = false;
  readonly #controller = new AbortController();
  readonly #sources: readonly AbortSignal[];
  readonly #timer: NodeJS.Timeout;
  readonly #abort = () => this.#controller.abort();

  constructor(sources: readonly AbortSignal[], ms: number) {
    this.#sources = sources;
    this.signal = this.#controller.signal;
    for (const source of sources) {
      if (source.aborted) this.#abort();
      else source.addEventListener('abort', this.#abort, { once: true });
    }
    this.#timer = setTimeout(() => {
      this.late = true;
      this.#abort();
    }, ms);
    this.#timer.unref();
  }

  /** `work`, or a rejection as soon as the signal fires. */
  async bound<T>(work: Promise<T>): Promise<T> {
    const { signal } = this;
    let stop = () => {};
    const aborted = new Promise<never>((_, reject) => {
      stop = () => reject(new DOMException('Given up.', 'AbortError'));
      if (signal.aborted) stop();
      signal.addEventListener('abort', stop, { once: true });
    });
    work.catch(() => {}); // told by the race, or too late to be told
    try {
      return await Promise.race([work, aborted]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const source of this.#sources) source.removeEventListener('abort', this.#abort);
  }
}
