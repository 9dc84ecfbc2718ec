/** One tar header block: ustar, with the GNU and pax forms that carry long names and big numbers. Everything in it is hostile. */
import { Failure } from '../../base/failure.ts';

export const BLOCK_BYTES = 512;

export type TarType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'other';

/** What a header says, before long names from preceding blocks are applied. */
export interface TarHeader {
  readonly name: string;
  readonly linkName: string;
  /** Bytes of content that follow, padded to whole blocks. */
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly user: string;
  readonly group: string;
  /** Seconds since the Unix epoch. */
  readonly mtime: number;
  /** The type flag as a character; `0` for an ordinary file. */
  readonly flag: string;
}

/** Decodes the 512 bytes of `block`; throws Failure `postgres_protocol` when the checksum or a number is wrong. */
export function decodeHeader(block: Buffer): TarHeader {
  if (number(block, 148, 8) !== headerChecksum(block)) throw badTar('header checksum');
  const ustar = block.toString('latin1', 257, 262) === 'ustar';
  const gnu = ustar && block[262] === 0x20;
  const prefix = ustar && !gnu ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  return {
    name: prefix ? `${prefix}/${name}` : name,
    linkName: text(block, 157, 100),
    size: number(block, 124, 12),
    mode: number(block, 100, 8) & 0o7777,
    uid: number(block, 108, 8),
    gid: number(block, 116, 8),
    mtime: number(block, 136, 12),
    user: ustar ? text(block, 265, 32) : '',
    group: ustar ? text(block, 297, 32) : '',
    flag: String.fromCharCode(block[156] || 0x30),
  };
}

/** Whether the block is all zeros: two of them end an archive. */
export function isZeroBlock(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

export function tarType(flag: string): TarType {
  switch (flag) {
    case '0':
    case '7':
      return 'file';
    case '1':
      return 'hardlink';
    case '2':
      return 'symlink';
    case '5':
      return 'directory';
    default:
      return 'other';
  }
}

export function badTar(what: string): Failure {
  return new Failure('postgres_protocol', `The server's backup stream is no valid tar archive: bad ${what}.`, {
    hint: 'Try again; if it persists, something between here and the server alters the connection.',
  });
}

/** The sum of all bytes with the checksum field taken as spaces. */
function headerChecksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < BLOCK_BYTES; at++) if (at < 148 || at >= 156) sum += block[at]!;
  return sum;
}

function text(block: Buffer, at: number, length: number): string {
  const end = block.indexOf(0, at);
  return block.toString('utf8', at, end < 0 || end > at + length ? at + length : end);
}

/** Octal digits, or (top bit set) a big-endian binary number as GNU tar and PostgreSQL write sizes of 8 GiB and more. */
function number(block: Buffer, at: number, length: number): number {
  const value = block[at]! & 0x80 ? binary(block, at, length) : octal(block, at, length);
  if (!Number.isSafeInteger(value) || value < 0) throw badTar('number');
  return value;
}

function binary(block: Buffer, at: number, length: number): number {
  let value = block[at]! & 0x7f;
  for (let offset = 1; offset < length; offset++) value = value * 256 + block[at + offset]!;
  return value;
}

function octal(block: Buffer, at: number, length: number): number {
  const digits = block
    .toString('latin1', at, at + length)
    .replace(/\0.*$/s, '')
    .trim();
  if (!/^[0-7]*$/.test(digits)) throw badTar('number');
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}
