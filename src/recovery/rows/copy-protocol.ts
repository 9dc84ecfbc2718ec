/**
 * COPY over a node-postgres client: rows in the server's own text form, streamed both ways with bounded memory. node-postgres hands the
 * messages of a COPY to whoever submitted it; these two classes take them.
 */
import type pg from 'pg';

/** What node-postgres's connection can do and its type declarations leave out. */
interface CopyConnection {
  readonly stream: {
    pause(): unknown;
    resume(): unknown;
    readonly writableNeedDrain: boolean;
    once(event: 'drain' | 'close', listener: () => void): unknown;
    off(event: 'drain' | 'close', listener: () => void): unknown;
  };
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
}

/** Bytes waiting for a slow reader before the socket is paused, and the size of the pieces that are handed over. */
const HIGH_WATER = 1024 * 1024;
const PIECE = 64 * 1024;

abstract class CopyQuery {
  readonly #sql: string;
  protected connection: CopyConnection | undefined;
  #settle: { resolve: () => void; reject: (error: unknown) => void } | undefined;
  /** Settles when the server is ready for the next statement. */
  readonly ended: Promise<void>;
  /** Rows copied, as the server counted them at the end. */
  protected count = 0;
  #error: unknown;

  constructor(sql: string) {
    this.#sql = sql;
    this.ended = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.ended.catch(() => {}); // also heard of where the rows are read
  }

  submit(connection: pg.Connection): void {
    this.connection = connection as unknown as CopyConnection;
    this.connection.query(this.#sql);
  }

  /** A server's error comes before ReadyForQuery, a lost connection comes alone. */
  handleError(error: unknown): void {
    this.#error = error;
    this.stopped();
    this.#settle?.reject(error);
  }

  handleReadyForQuery(): void {
    this.stopped();
    if (this.#error === undefined) this.#settle?.resolve();
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.count = Number(/^COPY (\d+)$/.exec(text)?.[1] ?? 0);
  }

  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}

  /** Nothing follows. */
  protected abstract stopped(): void;
}

/** `COPY (…) TO STDOUT`: whole rows as they come. */
export class CopyOut extends CopyQuery {
  #pieces: Buffer[] = [];
  #bytes = 0;
  #done = false;
  #wake: () => void = () => {};

  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    this.#pieces.push(Buffer.from(chunk)); // the parser uses its memory again
    this.#bytes += chunk.length;
    if (this.#bytes >= HIGH_WATER) this.connection?.stream.pause();
    if (this.#bytes >= PIECE) this.#wake();
  }

  handleCopyInResponse(): void {
    this.connection?.sendCopyFail('unexpected');
  }

  protected stopped(): void {
    this.#done = true;
    this.#wake();
  }

  /** Valid at the end. */
  get rows(): number {
    return this.count;
  }

  /** Reads to the end, then throws what the server said. Left early, the rest is read and dropped. */
  async *read(): AsyncGenerator<Buffer, void, undefined> {
    try {
      while (!this.#done || this.#bytes > 0) {
        if (!this.#done && this.#bytes < PIECE) await this.#more();
        const piece = this.#take();
        if (piece.length > 0) yield piece;
      }
      await this.ended;
    } finally {
      this.#pieces = [];
      this.connection?.stream.resume();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      // What is here is handed over even when it is little: the server may be slow.
      if (this.#bytes > 0) setImmediate(resolve);
    });
  }

  #take(): Buffer {
    const piece = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    this.connection?.stream.resume();
    return piece;
  }
}

/** `COPY … FROM STDIN`: rows of another COPY, as they came. */
export class CopyIn extends CopyQuery {
  #open: () => void = () => {};
  #stopped = false;
  /** Resolves when the server takes rows, or takes no more. */
  readonly #opened = new Promise<void>((resolve) => {
    this.#open = resolve;
  });

  handleCopyInResponse(): void {
    this.#open();
  }

  handleCopyData(): void {}

  protected stopped(): void {
    this.#stopped = true;
    this.#open();
  }

  /** Sends everything and waits for the server's word. A failing source ends the statement, which then changes nothing. */
  async write(chunks: AsyncIterable<Buffer>): Promise<void> {
    await this.#opened;
    try {
      for await (const chunk of chunks) {
        if (this.#stopped) break;
        this.connection?.sendCopyFromChunk(chunk);
        if (this.connection?.stream.writableNeedDrain) await this.#drained();
      }
    } catch (error) {
      if (!this.#stopped) this.connection?.sendCopyFail('The source of the rows failed.');
      await this.ended.catch(() => {});
      throw error;
    }
    if (!this.#stopped) this.connection?.endCopyFrom();
    await this.ended;
  }

  #drained(): Promise<void> {
    const stream = this.connection!.stream;
    return new Promise((resolve) => {
      const done = () => {
        stream.off('drain', done);
        stream.off('close', done);
        resolve();
      };
      stream.once('drain', done);
      stream.once('close', done);
    });
  }
}
