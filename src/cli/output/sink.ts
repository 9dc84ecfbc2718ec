/** A place text goes to: standard output or standard error. Waits when the reader is slow, falls silent when the reader has gone. */

import { errorCode } from '../../base/errno.ts';
import { Failure } from '../../base/failure.ts';

/** The part of a writable stream that a sink needs; `process.stdout` fits. */
export interface SinkStream {
  write(chunk: string | Uint8Array, done: (error?: Error | null) => void): boolean;
  on(event: 'error', listener: (error: Error) => void): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Errors that mean nobody reads any more: a closed pipe, a terminal that hung up. */
const READER_GONE = new Set(['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED', 'ECONNRESET']);

export class Sink {
  readonly #stream: SinkStream;
  #gone = false;
  #failure: Failure | undefined;

  constructor(stream: SinkStream) {
    this.#stream = stream;
    stream.on('error', (error) => this.#fail(error));
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  /** Width in columns; unbounded when it is not a terminal. */
  get columns(): number {
    return this.isTerminal ? this.#stream.columns || 80 : Number.POSITIVE_INFINITY;
  }

  /** Whether the reader has gone: a long listing may stop. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Resolves when the stream has taken `chunk`. Rejects with `output_failed` when it cannot (a full disk); not when the reader has gone. */
  write(chunk: string | Uint8Array): Promise<void> {
    if (this.#gone) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#stream.write(chunk, (error) => {
        if (error != null) this.#fail(error);
        if (this.#failure === undefined) resolve();
        else reject(this.#failure);
      });
    });
  }

  #fail(error: Error): void {
    if (READER_GONE.has(errorCode(error) ?? '')) this.#gone = true;
    else
      this.#failure ??= new Failure('output_failed', `The output cannot be written: ${error.message}.`, {
        hint: 'Only what the command says is cut off; what it had done by then stands: "holdfast status" and "holdfast points" show it.',
        cause: error,
      });
  }
}
