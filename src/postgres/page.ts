/**
 * A page of a relation file: its position in the log and its checksum.
 *
 * The checksum is FNV-1a over 32 lanes, with an extra shift that mixes the high bits (src/include/storage/checksum_impl.h); the number of the
 * page within its relation goes into it, so that a page in the wrong place is noticed too.
 */
import type { Lsn } from './lsn.ts';

const LANES = 32;
const PRIME = 16777619;
const CHECKSUM_AT = 8;
const UPPER_AT = 14;

/** The starting value of each lane, as the server's source lists them. */
const OFFSETS = Int32Array.of(
  0x5b1f36e9,
  0xb8525960,
  0x02ab50aa,
  0x1de66d2a,
  0x79ff467a,
  0x9bb9f8a3,
  0x217e7cd2,
  0x83e13d2c,
  0xf8d4474f,
  0xe39eb970,
  0x42c6ae16,
  0x993216fa,
  0x7b093b5d,
  0x98daff3c,
  0xf718902a,
  0x0b1c9cdb,
  0xe58f764b,
  0x187636bc,
  0x5d7b3bb1,
  0xe73de7de,
  0x92bec979,
  0xcca6c0b2,
  0x304a0979,
  0x85aa43d4,
  0x783125bb,
  0x6ca8eaa2,
  0xe407eac6,
  0x4b5cfc3e,
  0x9fbf8c76,
  0x15ca20be,
  0xf2ca9fd3,
  0x959bd756,
);

/** The log position of the page's last change. */
export function pageLsn(page: Buffer): Lsn {
  return (BigInt(page.readUInt32LE(0)) << 32n) | BigInt(page.readUInt32LE(4));
}

/** A page that was never used has no header and no checksum. */
export function isNewPage(page: Buffer): boolean {
  return page.readUInt16LE(UPPER_AT) === 0;
}

/** The checksum that the page states. */
export function statedChecksum(page: Buffer): number {
  return page.readUInt16LE(CHECKSUM_AT);
}

const words = new Int32Array(2048);
const wordBytes = Buffer.from(words.buffer);
const sums = new Int32Array(LANES);

/** The checksum that page number `block` of a relation should have; `page` is 8,192 bytes. */
export function pageChecksum(page: Buffer, block: number): number {
  page.copy(wordBytes);
  wordBytes.writeUInt16LE(0, CHECKSUM_AT); // the field of the checksum itself counts as zero
  sums.set(OFFSETS);
  for (let at = 0; at < words.length; at += LANES) {
    for (let lane = 0; lane < LANES; lane++) sums[lane] = mix(sums[lane] as number, words[at + lane] as number);
  }
  let result = 0;
  for (let lane = 0; lane < LANES; lane++) result ^= mix(mix(sums[lane] as number, 0), 0);
  return (((result ^ block) >>> 0) % 65535) + 1;
}

function mix(sum: number, word: number): number {
  const mixed = sum ^ word;
  return Math.imul(mixed, PRIME) ^ (mixed >>> 17);
}
