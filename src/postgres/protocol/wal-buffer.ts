/** WAL that has arrived and was not handed out yet: an ordered run of bytes in chunks, with a limit that pauses the socket. */
import type { Failure } from '../../base/failure.ts';
import type { Lsn } from '../lsn.ts';
import type { Flow } from './inbox.ts';
import { malformed } from './messages.ts';

/** Every segment size is a power of two from 1 MiB on, so chunks never cross a segment. */
const WAL_CHUNK_BYTES = 1024 * 1024;
/** Beyond this the server has to wait; its slot keeps the WAL meanwhile. Holds one segment of the largest usual size. */
const LIMIT_CHUNKS = 64;

export class WalBuffer {
  readonly #flow: Flow;
  #chunks: Buffer[] = [];
  /** The chunk being filled; its first byte is at a multiple of the chunk size. */
  #filling: Buffer | undefined;
  #received: Lsn;
  /** Position of the first byte not handed out; always at a chunk's start. */
  #handed: Lsn;
  #paused = false;
  #discarding = false;
  #failure: Failure | undefined;
  #wake: (() => void) | undefined;

  /** `start` must be the start of a segment. */
  constructor(start: Lsn, flow: Flow) {
    this.#flow = flow;
    this.#received = start;
    this.#handed = start;
  }

  /** End of what has arrived without a hole. */
  get received(): Lsn {
    return this.#received;
  }

  /** Appends bytes that must begin exactly where the last ones ended. */
  append(start: Lsn, bytes: Buffer): void {
    if (start !== this.#received) throw malformed('WAL stream (a hole, or a step back)');
    if (!this.#discarding) this.#copy(bytes);
    this.#received += BigInt(bytes.length);
    if (!this.#paused && this.#chunks.length >= LIMIT_CHUNKS) {
      this.#paused = true;
      this.#flow.pause();
    }
    this.#signal();
  }

  /** Nothing more will come; whoever waits, or asks later for more than there is, gets `failure`. */
  fail(failure: Failure): void {
    this.#failure ??= failure;
    this.#signal();
  }

  throwIfFailed(): void {
    if (this.#failure) throw this.#failure;
  }

  /** Lets go of everything: the rest of the stream is of no interest. */
  discard(): void {
    this.#discarding = true;
    this.#chunks = [];
    this.#filling = undefined;
    this.#resume();
  }

  /** Hands out the bytes up to `padTo`, a chunk boundary: as received before `end`, zeros from there on. */
  async *read(end: Lsn, padTo: Lsn): AsyncGenerator<Buffer, void, undefined> {
    const size = BigInt(WAL_CHUNK_BYTES);
    while (this.#handed < padTo) {
      const chunkEnd = this.#handed + size;
      if (this.#handed >= end) {
        this.#handed = chunkEnd;
        yield Buffer.alloc(WAL_CHUNK_BYTES);
        continue;
      }
      await this.#until(chunkEnd < end ? chunkEnd : end);
      const chunk = this.#take(chunkEnd);
      if (chunkEnd > end) chunk.fill(0, Number(end - this.#handed));
      this.#handed = chunkEnd;
      yield chunk;
    }
  }

  #copy(bytes: Buffer): void {
    let at = 0;
    let fill = Number(this.#received % BigInt(WAL_CHUNK_BYTES));
    while (at < bytes.length) {
      this.#filling ??= Buffer.alloc(WAL_CHUNK_BYTES);
      const part = Math.min(bytes.length - at, WAL_CHUNK_BYTES - fill);
      bytes.copy(this.#filling, fill, at, at + part);
      at += part;
      fill += part;
      if (fill < WAL_CHUNK_BYTES) break;
      this.#chunks.push(this.#filling);
      this.#filling = undefined;
      fill = 0;
    }
  }

  /** The chunk that ends at `chunkEnd`: a full one, or the one being filled when the rest of it is not wanted. */
  #take(chunkEnd: Lsn): Buffer {
    const whole = this.#received >= chunkEnd ? this.#chunks.shift() : undefined;
    if (this.#chunks.length < LIMIT_CHUNKS / 2) this.#resume();
    return whole ?? Buffer.from(this.#filling ?? Buffer.alloc(WAL_CHUNK_BYTES));
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#flow.resume();
  }

  async #until(position: Lsn): Promise<void> {
    while (this.#received < position) {
      this.throwIfFailed();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #signal(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
