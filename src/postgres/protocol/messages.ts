/** Decoders of the server messages that replication uses (PostgreSQL documentation, "Message Formats"). Payloads are hostile: every length is checked. */
import { Failure } from '../../base/failure.ts';
import type { ServerMessage } from '../server-error.ts';

/** Message types by their byte. */
export const MESSAGE = {
  commandComplete: 0x43, // C
  copyBoth: 0x57, // W
  copyData: 0x64, // d
  copyDone: 0x63, // c
  copyIn: 0x47, // G
  copyOut: 0x48, // H
  dataRow: 0x44, // D
  empty: 0x49, // I
  error: 0x45, // E
  notice: 0x4e, // N
  parameter: 0x53, // S
  ready: 0x5a, // Z
  rowDescription: 0x54, // T
} as const;

/** Reads the fields of an ErrorResponse or NoticeResponse. */
export function decodeServerMessage(payload: Buffer): ServerMessage {
  const fields: Record<string, string> = {};
  let at = 0;
  while (at < payload.length && payload[at] !== 0) {
    const end = payload.indexOf(0, at + 1);
    if (end < 0) throw malformed('error message');
    fields[String.fromCharCode(payload[at]!)] = payload.toString('utf8', at + 1, end);
    at = end + 1;
  }
  return {
    severity: fields.V ?? fields.S ?? 'ERROR',
    sqlstate: fields.C ?? '',
    message: fields.M ?? 'no message',
    detail: fields.D,
    hint: fields.H,
  };
}

/** Column names of a RowDescription. */
export function decodeRowDescription(payload: Buffer): string[] {
  if (payload.length < 2) throw malformed('row description');
  const names: string[] = [];
  let at = 2;
  for (let left = payload.readInt16BE(0); left > 0; left--) {
    const end = payload.indexOf(0, at);
    // After the name come table oid, column, type oid, length, modifier, format: 18 bytes.
    if (end < 0 || end + 19 > payload.length) throw malformed('row description');
    names.push(payload.toString('utf8', at, end));
    at = end + 19;
  }
  return names;
}

/** The values of a DataRow in text format; null for SQL NULL. */
export function decodeDataRow(payload: Buffer): (Buffer | null)[] {
  if (payload.length < 2) throw malformed('row');
  const values: (Buffer | null)[] = [];
  let at = 2;
  for (let left = payload.readInt16BE(0); left > 0; left--) {
    if (at + 4 > payload.length) throw malformed('row');
    const length = payload.readInt32BE(at);
    at += 4;
    if (length < 0) {
      values.push(null);
      continue;
    }
    if (at + length > payload.length) throw malformed('row');
    values.push(payload.subarray(at, at + length));
    at += length;
  }
  return values;
}

/** A frontend message: type byte, length, payload. */
export function frontendMessage(type: string, payload: Uint8Array): Buffer {
  const message = Buffer.allocUnsafe(5 + payload.length);
  message.write(type, 0, 'latin1');
  message.writeInt32BE(payload.length + 4, 1);
  message.set(payload, 5);
  return message;
}

/** A simple Query. */
export function queryMessage(sql: string): Buffer {
  return frontendMessage('Q', Buffer.from(`${sql}\0`, 'utf8'));
}

/** CopyDone: nothing more from us. */
export function copyDoneMessage(): Buffer {
  return frontendMessage('c', new Uint8Array(0));
}

/** The failure for a message that does not follow the protocol. */
export function malformed(what: string): Failure {
  return new Failure('postgres_protocol', `The server sent a malformed ${what}.`, {
    hint: 'Try again; if it persists, something between here and the server alters the connection.',
  });
}
