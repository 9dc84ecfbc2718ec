/**
 * Joins the log of many small messages: a busy server sends one for every few hundred bytes, and each that is written, scanned and counted by
 * itself costs more than its bytes do.
 */
import type { Lsn } from '../lsn.ts';
import { malformed } from '../protocol/messages.ts';

/** As much as one read of the socket brings, and a message that began before it. */
const ROOM_BYTES = 256 * 1024;
/** Messages from this size on are worth handing on as they are, without a copy. */
const LARGE_BYTES = 32 * 1024;

export class LogRun {
  readonly #room = Buffer.allocUnsafeSlow(ROOM_BYTES);
  readonly #take: (start: Lsn, bytes: Buffer) => void;
  /** Where what is gathered begins. */
  #start: Lsn;
  #length = 0;

  /** `take` gets the log from `start` on, in order; what it gets is valid during the call. */
  constructor(start: Lsn, take: (start: Lsn, bytes: Buffer) => void) {
    this.#start = start;
    this.#take = take;
  }

  /** Takes the bytes that follow. Throws `postgres_protocol` when they do not. */
  add(start: Lsn, bytes: Buffer): void {
    if (start !== this.#start + BigInt(this.#length)) throw malformed('WAL stream (a hole, or a step back)');
    if (bytes.length >= LARGE_BYTES || bytes.length > ROOM_BYTES - this.#length) this.handOver();
    if (bytes.length >= LARGE_BYTES) {
      this.#handOn(bytes);
      return;
    }
    bytes.copy(this.#room, this.#length);
    this.#length += bytes.length;
  }

  /** Hands on what is gathered. */
  handOver(): void {
    if (this.#length === 0) return;
    const bytes = this.#room.subarray(0, this.#length);
    this.#length = 0;
    this.#handOn(bytes);
  }

  #handOn(bytes: Buffer): void {
    const start = this.#start;
    this.#start += BigInt(bytes.length);
    this.#take(start, bytes);
  }
}
