/** The messages inside a WAL stream (PostgreSQL documentation, "Streaming Replication Protocol"): XLogData, keepalive, our status. */
import type { Lsn } from '../lsn.ts';
import { frontendMessage, malformed } from './messages.ts';

export type WalMessage =
  | { readonly kind: 'data'; readonly start: Lsn; readonly bytes: Buffer }
  | { readonly kind: 'keepalive'; readonly end: Lsn; readonly replyRequested: boolean };

const DATA = 0x77; // w
const KEEPALIVE = 0x6b; // k
/** Type, start, end of WAL on the server, send time. */
const DATA_HEADER_BYTES = 25;
const KEEPALIVE_BYTES = 18;

/** Decodes the payload of a CopyData; `bytes` is a view of it. */
export function decodeWalMessage(payload: Buffer): WalMessage {
  if (payload[0] === DATA && payload.length >= DATA_HEADER_BYTES) {
    return { kind: 'data', start: payload.readBigUInt64BE(1), bytes: payload.subarray(DATA_HEADER_BYTES) };
  }
  if (payload[0] === KEEPALIVE && payload.length >= KEEPALIVE_BYTES) {
    return { kind: 'keepalive', end: payload.readBigUInt64BE(1), replyRequested: payload[17] === 1 };
  }
  throw malformed('WAL message');
}

/**
 * Our status: what was received, and what of it is safe. `flushed` 0 says "nothing is": such a receiver is never counted as a
 * synchronous standby, and its slot keeps everything. `applied` must not exceed `flushed`; 0 says "nothing, ever".
 */
export function statusMessage(received: Lsn, flushed: Lsn, requestReply: boolean, applied: Lsn = 0n): Buffer {
  const payload = Buffer.alloc(34);
  payload.write('r', 0, 'latin1');
  payload.writeBigUInt64BE(received, 1);
  payload.writeBigUInt64BE(flushed, 9);
  payload.writeBigUInt64BE(applied, 17);
  // Time (microseconds since 2000): the server only shows it, so 0 serves.
  payload[33] = requestReply ? 1 : 0;
  return frontendMessage('d', payload);
}
