/**
 * Cuts a byte stream into the server's messages: one byte of type, an int32 length that counts itself, the payload.
 * A message that lies whole in one chunk is handed out without copying; one that spans chunks is gathered in a buffer that is used again.
 */
import { Failure } from '../../base/failure.ts';

/** The server sends at most 128 KiB in a CopyData and a few MiB in the oddest row; more is not PostgreSQL talking. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
const HEADER_BYTES = 5;

export type OnMessage = (type: number, payload: Buffer) => void;

export class MessageFramer {
  readonly #onMessage: OnMessage;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerFill = 0;
  /** Where messages that span chunks are gathered; as large as the largest so far. */
  #room = Buffer.alloc(0);
  #body: Buffer | undefined;
  #bodyFill = 0;

  constructor(onMessage: OnMessage) {
    this.#onMessage = onMessage;
  }

  /** Takes the next bytes of the stream; payloads are valid during the call of `onMessage`. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#body || this.#headerFill > 0 || chunk.length - at < HEADER_BYTES) {
        at = this.#continue(chunk, at);
        continue;
      }
      const length = payloadLength(chunk, at);
      const end = at + HEADER_BYTES + length;
      if (end > chunk.length) {
        at = this.#continue(chunk, at);
        continue;
      }
      this.#onMessage(chunk[at]!, chunk.subarray(at + HEADER_BYTES, end));
      at = end;
    }
  }

  /** Goes on with a message that spans chunks; returns the offset of the first byte not consumed. */
  #continue(chunk: Buffer, from: number): number {
    let at = from;
    if (!this.#body) {
      const part = Math.min(HEADER_BYTES - this.#headerFill, chunk.length - at);
      chunk.copy(this.#header, this.#headerFill, at, at + part);
      this.#headerFill += part;
      at += part;
      if (this.#headerFill < HEADER_BYTES) return at;
      this.#body = this.#space(payloadLength(this.#header, 0));
      this.#bodyFill = 0;
    }
    const part = Math.min(this.#body.length - this.#bodyFill, chunk.length - at);
    chunk.copy(this.#body, this.#bodyFill, at, at + part);
    this.#bodyFill += part;
    if (this.#bodyFill === this.#body.length) {
      const payload = this.#body;
      this.#body = undefined;
      this.#headerFill = 0;
      this.#onMessage(this.#header[0]!, payload);
    }
    return at + part;
  }

  #space(length: number): Buffer {
    if (this.#room.length < length) this.#room = Buffer.allocUnsafeSlow(length);
    return this.#room.subarray(0, length);
  }
}

function payloadLength(bytes: Buffer, at: number): number {
  const length = bytes.readInt32BE(at + 1) - 4;
  if (length < 0 || length > MAX_MESSAGE_BYTES) {
    throw new Failure('postgres_protocol', `The server sent a message of impossible length (${length} bytes).`, {
      hint: 'Is there really a PostgreSQL server at this address?',
    });
  }
  return length;
}
