/**
 * A JSON reader that works on bytes and makes no object it is not asked for: indexes hold millions of entries, trees millions of nodes.
 * Numbers keep all 64 bits, strings can be taken as bytes. It checks what it reads and throws `data_damaged` on anything else.
 */
import { Failure } from '../../base/failure.ts';

/** Thrown when the bytes end inside a value; callers that get more bytes try again. */
export class TruncatedJson extends Failure {}

/** Made once: it is thrown at every boundary of a streamed tree. */
const TRUNCATED = new TruncatedJson('data_damaged', 'A JSON document of the repository is cut short.');

const MAX_DEPTH = 64;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const ZERO = 0x30;

/** Value of each byte as a hex digit (lower case, as ids are written); 255 for what is none. */
const HEX = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(byte));
  return digit < 0 ? 255 : digit;
});

export class JsonScanner {
  bytes: Buffer = Buffer.alloc(0);
  /** Next byte to be read. */
  at = 0;
  #end = 0;
  /** The string last read by `string()`: its bytes between the quotes, escapes still in them when `escaped`. */
  from = 0;
  to = 0;
  escaped = false;

  /** Reads `bytes[at…end]` from here on. */
  reset(bytes: Uint8Array, at = 0, end = bytes.length): this {
    this.bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.at = at;
    this.#end = end;
    return this;
  }

  fail(why: string): never {
    throw new Failure('data_damaged', `A JSON document of the repository is malformed: ${why}.`);
  }

  /** The next byte that is not white space, not yet taken. */
  peek(): number {
    while (this.at < this.#end) {
      const byte = this.bytes[this.at]!;
      if (byte > 0x20 || !isSpace(byte)) return byte;
      this.at++;
    }
    throw TRUNCATED;
  }

  /** True when nothing but white space is left. */
  atEnd(): boolean {
    while (this.at < this.#end && isSpace(this.bytes[this.at]!)) this.at++;
    return this.at === this.#end;
  }

  take(expected: number): void {
    const byte = this.bytes[this.at] === expected && this.at < this.#end ? expected : this.peek();
    if (byte !== expected) this.fail(`expected ${JSON.stringify(String.fromCharCode(expected))}`);
    this.at++;
  }

  openObject(): void {
    this.take(OPEN_BRACE);
  }

  openArray(): void {
    this.take(OPEN_BRACKET);
  }

  /**
   * Steps to the next member of an object: reads its key (as `string()` does) and the colon. False when the object is closed.
   * `first` says that no member was read yet.
   */
  nextMember(first: boolean): boolean {
    if (!this.#nextItem(first, CLOSE_BRACE)) return false;
    this.string();
    this.take(COLON);
    return true;
  }

  /** Steps to the next element of an array; false when the array is closed. */
  nextElement(first: boolean): boolean {
    return this.#nextItem(first, CLOSE_BRACKET);
  }

  #nextItem(first: boolean, close: number): boolean {
    const byte = this.peek();
    if (byte === close) {
      this.at++;
      return false;
    }
    if (first) return true;
    this.take(COMMA);
    return true;
  }

  /** Reads `null` if that is what comes next. */
  takeNull(): boolean {
    if (this.peek() !== 0x6e) return false;
    this.#word('null');
    return true;
  }

  /** Reads a string into `from`, `to` and `escaped`. */
  string(): void {
    this.take(QUOTE);
    const { bytes } = this;
    const end = this.#end;
    this.from = this.at;
    this.escaped = false;
    for (let at = this.at; at < end; at++) {
      const byte = bytes[at]!;
      if (byte === QUOTE) {
        this.to = at;
        this.at = at + 1;
        return;
      }
      if (byte === BACKSLASH) {
        this.escaped = true;
        at++;
      } else if (byte < 0x20) this.fail('a control character stands in a string');
    }
    throw TRUNCATED;
  }

  /** Text of the string last read. */
  text(): string {
    if (!this.escaped) return this.bytes.toString('utf8', this.from, this.to);
    try {
      return JSON.parse(this.bytes.toString('utf8', this.from - 1, this.to + 1));
    } catch {
      return this.fail('a string has an unknown escape');
    }
  }

  /** A copy of the bytes of the string last read, its escapes as they stand. */
  copy(): Buffer {
    const copy = Buffer.allocUnsafe(this.to - this.from);
    this.bytes.copy(copy, 0, this.from, this.to);
    return copy;
  }

  /** Whether the string last read is exactly `expected`, escapes compared as they stand. */
  is(expected: Uint8Array): boolean {
    const { bytes, from } = this;
    if (this.to - from !== expected.length) return false;
    for (let i = 0; i < expected.length; i++) if (bytes[from + i] !== expected[i]) return false;
    return true;
  }

  /** Reads a string of 64 hex digits into `target[offset … offset + 32]`. */
  hexId(target: Uint8Array, offset: number): void {
    this.take(QUOTE);
    const { bytes } = this;
    if (this.at + 65 > this.#end) throw TRUNCATED;
    let at = this.at;
    let wrong = 0;
    for (let i = 0; i < 32; i++, at += 2) {
      const high = HEX[bytes[at]!]!;
      const low = HEX[bytes[at + 1]!]!;
      wrong |= high | low;
      target[offset + i] = (high << 4) | low;
    }
    if (wrong > 15 || bytes[at] !== QUOTE) this.fail('an id is not 64 hex digits');
    this.at = at + 1;
  }

  /** Reads a whole number from 0 to `max` (at most 2^53 - 1). */
  uint(max: number): number {
    const start = this.#digits();
    if (this.at - start > 16) this.fail('a number is too large');
    let value = 0;
    for (let i = start; i < this.at; i++) value = value * 10 + this.bytes[i]! - ZERO;
    if (value > max) this.fail('a number is too large');
    return value;
  }

  /** Reads a whole number from 0 to 2^64 - 1. */
  uint64(): bigint {
    const start = this.#digits();
    const length = this.at - start;
    if (length > 20) this.fail('a number is too large');
    if (length <= 15) {
      let value = 0;
      for (let i = start; i < this.at; i++) value = value * 10 + this.bytes[i]! - ZERO;
      return BigInt(value);
    }
    const value = BigInt(this.bytes.toString('latin1', start, this.at));
    if (value >> 64n !== 0n) this.fail('a number is too large');
    return value;
  }

  /** Passes over digits and returns where they began. A number that touches the end of the bytes may go on. */
  #digits(): number {
    this.peek();
    const start = this.at;
    while (this.at < this.#end && isDigit(this.bytes[this.at]!)) this.at++;
    if (this.at === this.#end) throw TRUNCATED;
    const length = this.at - start;
    if (length === 0 || (length > 1 && this.bytes[start] === ZERO)) this.fail('expected a whole number');
    return start;
  }

  /** Passes over the next value, whatever it is. */
  skip(depth = 0): void {
    if (depth > MAX_DEPTH) this.fail('values are nested too deep');
    const byte = this.peek();
    if (byte === OPEN_BRACE) {
      this.at++;
      for (let first = true; this.nextMember(first); first = false) this.skip(depth + 1);
    } else if (byte === OPEN_BRACKET) {
      this.at++;
      for (let first = true; this.nextElement(first); first = false) this.skip(depth + 1);
    } else if (byte === QUOTE) this.string();
    else if (byte === 0x74) this.#word('true');
    else if (byte === 0x66) this.#word('false');
    else if (byte === 0x6e) this.#word('null');
    else this.#number();
  }

  #word(word: string): void {
    for (let i = 0; i < word.length; i++, this.at++) {
      if (this.at === this.#end) throw TRUNCATED;
      if (this.bytes[this.at] !== word.charCodeAt(i)) this.fail('expected a value');
    }
  }

  #number(): void {
    const start = this.at;
    while (this.at < this.#end && isNumberByte(this.bytes[this.at]!)) this.at++;
    if (this.at === this.#end) throw TRUNCATED;
    const text = this.bytes.toString('latin1', start, this.at);
    if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) this.fail('expected a value');
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}

function isNumberByte(byte: number): boolean {
  return isDigit(byte) || byte === 0x2d || byte === 0x2b || byte === 0x2e || byte === 0x65 || byte === 0x45;
}
