/**
 * One signal out of several and a time limit, with nothing left behind once it is disposed of. The signal is made when somebody asks for it:
 * most answers are there before anybody could make use of one.
 */
export class Deadline implements Disposable {
  /** Whether it was the time that ended it. */
  late = false;
  readonly #sources: () => readonly AbortSignal[];
  readonly #timer: NodeJS.Timeout;
  readonly #abort = () => this.#end();
  #listened: readonly AbortSignal[] = [];
  #controller: AbortController | undefined;
  #giveUp: ((error: DOMException) => void) | undefined;

  constructor(sources: () => readonly AbortSignal[], ms: number) {
    this.#sources = sources;
    this.#timer = setTimeout(() => {
      this.late = true;
      this.#end();
    }, ms);
    this.#timer.unref();
  }

  /** Fires with the first of the sources, or when the time is over. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      this.#listened = this.#sources();
      for (const source of this.#listened) {
        if (source.aborted) this.#end();
        else source.addEventListener('abort', this.#abort, { once: true });
      }
      if (this.late) this.#end();
    }
    return this.#controller.signal;
  }

  /** Whether the signal has fired. */
  get aborted(): boolean {
    return this.late || this.#controller?.signal.aborted === true;
  }

  /** `work`, or a rejection as soon as the time is over, or as the signal fires that somebody asked for. */
  bound<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      if (this.aborted) this.#end();
      work.then(resolve, reject);
    });
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const source of this.#listened) source.removeEventListener('abort', this.#abort);
  }

  #end(): void {
    this.#controller?.abort();
    this.#giveUp?.(new DOMException('Given up.', 'AbortError'));
  }
}
