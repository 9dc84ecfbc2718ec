/**
 * Go's `strconv.Quote` and `strconv.Unquote` on bytes. File names are any bytes but `/` and NUL; the format quotes them so before it
 * puts them into JSON, which can hold text only. Both leave the enclosing quotes out.
 */
import { isUtf8 } from 'node:buffer';
import { Failure } from '../../base/failure.ts';

/** What `unicode.IsPrint` accepts. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const PLAIN = /^[ !#-[\]-~]*$/;

const SHORT_ESCAPES: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

const BY_LETTER: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, '"': 34, '\\': 92 };

export function goQuote(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const ascii = buffer.toString('latin1');
  if (PLAIN.test(ascii)) return ascii;
  let quoted = '';
  for (let at = 0; at < buffer.length; ) {
    const size = runeSize(buffer, at);
    quoted += size === 0 ? hexEscape('x', 2, buffer[at]!) : quoteRune(buffer.toString('utf8', at, at + size));
    at += Math.max(1, size);
  }
  return quoted;
}

function quoteRune(char: string): string {
  const rune = char.codePointAt(0)!;
  const short = SHORT_ESCAPES[rune];
  if (short !== undefined) return short;
  if (PRINTABLE.test(char)) return char;
  if (rune < 0x20 || rune === 0x7f) return hexEscape('x', 2, rune);
  return rune < 0x10000 ? hexEscape('u', 4, rune) : hexEscape('U', 8, rune);
}

function hexEscape(letter: string, digits: number, value: number): string {
  return `\\${letter}${value.toString(16).padStart(digits, '0')}`;
}

/** Bytes of the UTF-8 character at `at`, or 0 when there is no valid one. */
function runeSize(bytes: Buffer, at: number): number {
  const lead = bytes[at]!;
  const size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return at + size <= bytes.length && isUtf8(bytes.subarray(at, at + size)) ? size : 0;
}

/** The bytes that `goQuote` made `quoted` of. Throws `data_damaged` on what it never writes. */
export function goUnquote(quoted: string): Buffer {
  if (!quoted.includes('\\')) {
    if (/["\n]/.test(quoted)) throw malformed();
    return Buffer.from(quoted);
  }
  const parts: Buffer[] = [];
  const token =
    /[^"\\\n]+|\\(?:([abtnvfr"\\])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/gy;
  let done = 0;
  for (let match = token.exec(quoted); match !== null; match = token.exec(quoted)) {
    parts.push(unquoteToken(match));
    done = token.lastIndex;
  }
  if (done !== quoted.length) throw malformed();
  return Buffer.concat(parts);
}

function unquoteToken([text, letter, byte, short, long, octal]: RegExpExecArray): Buffer {
  if (letter !== undefined) return Buffer.of(BY_LETTER[letter]!);
  if (byte !== undefined) return Buffer.of(Number.parseInt(byte, 16));
  if (octal !== undefined) return Buffer.of(Number.parseInt(octal, 8));
  const digits = short ?? long;
  if (digits === undefined) return Buffer.from(text);
  const rune = Number.parseInt(digits, 16);
  if (rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff)) throw malformed();
  return Buffer.from(String.fromCodePoint(rune));
}

function malformed(): Failure {
  return new Failure('data_damaged', 'A file name in the repository is not quoted as the format wants.');
}
