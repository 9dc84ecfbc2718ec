/**
 * Names on Linux are bytes, in no particular encoding. Inside the scan they travel as byte strings: JavaScript strings in which each
 * character stands for one byte (`latin1`). Those compare, sort and concatenate like the bytes themselves and cost less than Buffers.
 */
import { isUtf8 } from 'node:buffer';
import { printable } from '../../base/printable.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: everything outside ASCII is what this is about
const BEYOND_ASCII = /[^\x00-\x7f]/;
const BEYOND_ASCII_EACH = /[\x80-\xff]/g;

/** The text that `bytes` spell in UTF-8; when they are not UTF-8, the byte string itself. For matching, never for opening files. */
export function textOf(bytes: string): string {
  if (!BEYOND_ASCII.test(bytes)) return bytes;
  const raw = Buffer.from(bytes, 'latin1');
  return isUtf8(raw) ? raw.toString('utf8') : bytes;
}

/** How a path is shown to people: UTF-8 where it is, bytes that are not and control characters as `\xNN`. */
export function printableBytes(bytes: string): string {
  const text = textOf(bytes);
  if (text !== bytes || !BEYOND_ASCII.test(bytes)) return printable(text);
  return printable(bytes.replace(BEYOND_ASCII_EACH, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`));
}

/** The byte string of a Buffer. */
export function byteString(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
