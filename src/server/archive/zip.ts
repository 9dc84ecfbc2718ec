/**
 * A zip archive as a stream: stored, not compressed (what is large is compressed already), with sizes after each file, in the 64-bit form
 * throughout, so that nothing has to be known ahead. Specification: APPNOTE.TXT 6.3.10 of PKWARE; its sections stand at the lines.
 */
import { crc32 } from 'node:zlib';
import type { DownloadedEntry } from '../../operations/download.ts';

const UTF8_AND_DESCRIPTOR = 0x0808; // 4.4.4: bits 3 and 11
const VERSION = 45; // 4.4.3: 64-bit
const UNIX = 3; // 4.4.2
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;
const MAX32 = 0xffffffff;
const MAX16 = 0xffff;

interface Member {
  readonly name: Buffer;
  readonly offset: number;
  readonly crc: number;
  readonly size: number;
  readonly mode: number;
  readonly directory: boolean;
  readonly time: DosTime;
}

/** `prefix` begins every path. Only files, directories and symbolic links; names that are no UTF-8 get replacement characters. */
export async function* zipStream(entries: AsyncIterable<DownloadedEntry>, prefix: Buffer): AsyncGenerator<Buffer> {
  const members: Member[] = [];
  let offset = 0;
  for await (const entry of entries) {
    if (entry.type !== 'file' && entry.type !== 'dir' && entry.type !== 'symlink') continue;
    const directory = entry.type === 'dir';
    const name = nameIn(prefix, entry);
    const time = dosTime(entry.mtimeNs);
    const begin = localHeader(name, time);
    yield begin;
    let crc = 0;
    let size = 0;
    for await (const bytes of contentOf(entry)) {
      crc = crc32(bytes, crc);
      size += bytes.length;
      yield bytes;
    }
    const end = descriptor(crc, size);
    yield end;
    members.push({ name, offset, crc, size, mode: modeOf(entry), directory, time });
    offset += begin.length + size + end.length;
  }
  let length = 0;
  for (const member of members) {
    const record = centralHeader(member);
    length += record.length;
    yield record;
  }
  yield endRecords(members.length, offset, length);
}

function nameIn(prefix: Buffer, { path, type }: DownloadedEntry): Buffer {
  const parts = [prefix.toString(), path.toString()].filter((part) => part !== '');
  return Buffer.from(`${parts.join('/')}${type === 'dir' ? '/' : ''}`).subarray(0, MAX16);
}

async function* contentOf(entry: DownloadedEntry): AsyncGenerator<Buffer> {
  if (entry.type === 'file') yield* entry.read();
  else if (entry.type === 'symlink' && entry.linkTarget !== undefined) yield entry.linkTarget;
}

function modeOf({ type, mode }: DownloadedEntry): number {
  return (type === 'dir' ? S_IFDIR : type === 'symlink' ? S_IFLNK : S_IFREG) | mode;
}

interface DosTime {
  readonly date: number;
  readonly time: number;
}

/** 4.4.6: local time in steps of two seconds from 1980 on; ours is UTC. */
function dosTime(ns: bigint): DosTime {
  const at = new Date(Number(ns / 1_000_000n));
  const year = at.getUTCFullYear();
  if (year < 1980 || year > 2107) return { date: 0x21, time: 0 };
  const time = (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1);
  return { date: ((year - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(), time };
}

/** 4.3.7; sizes of all ones and the extra field 4.5.3 say that the descriptor has 64 bits. */
function localHeader(name: Buffer, { date, time }: DosTime): Buffer {
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50, 0);
  head.writeUInt16LE(VERSION, 4);
  head.writeUInt16LE(UTF8_AND_DESCRIPTOR, 6);
  head.writeUInt16LE(time, 10);
  head.writeUInt16LE(date, 12);
  head.writeUInt32LE(MAX32, 18);
  head.writeUInt32LE(MAX32, 22);
  head.writeUInt16LE(name.length, 26);
  head.writeUInt16LE(20, 28);
  return Buffer.concat([head, name, extra([0, 0])]);
}

/** 4.3.9 */
function descriptor(crc: number, size: number): Buffer {
  const record = Buffer.alloc(24);
  record.writeUInt32LE(0x08074b50, 0);
  record.writeUInt32LE(crc, 4);
  record.writeBigUInt64LE(BigInt(size), 8);
  record.writeBigUInt64LE(BigInt(size), 16);
  return record;
}

/** 4.3.12 */
function centralHeader({ name, offset, crc, size, mode, directory, time }: Member): Buffer {
  const head = Buffer.alloc(46);
  head.writeUInt32LE(0x02014b50, 0);
  head.writeUInt16LE((UNIX << 8) | VERSION, 4);
  head.writeUInt16LE(VERSION, 6);
  head.writeUInt16LE(UTF8_AND_DESCRIPTOR, 8);
  head.writeUInt16LE(time.time, 12);
  head.writeUInt16LE(time.date, 14);
  head.writeUInt32LE(crc, 16);
  head.writeUInt32LE(MAX32, 20);
  head.writeUInt32LE(MAX32, 24);
  head.writeUInt16LE(name.length, 28);
  head.writeUInt16LE(28, 30);
  head.writeUInt32LE(((mode << 16) | (directory ? 0x10 : 0)) >>> 0, 38);
  head.writeUInt32LE(MAX32, 42);
  return Buffer.concat([head, name, extra([size, size, offset])]);
}

/** 4.5.3 */
function extra(values: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + values.length * 8);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(values.length * 8, 2);
  for (const [at, value] of values.entries()) field.writeBigUInt64LE(BigInt(value), 4 + at * 8);
  return field;
}

/** 4.3.14 to 4.3.16 */
function endRecords(count: number, offset: number, length: number): Buffer {
  const records = Buffer.alloc(56 + 20 + 22);
  records.writeUInt32LE(0x06064b50, 0);
  records.writeBigUInt64LE(44n, 4);
  records.writeUInt16LE((UNIX << 8) | VERSION, 12);
  records.writeUInt16LE(VERSION, 14);
  records.writeBigUInt64LE(BigInt(count), 24);
  records.writeBigUInt64LE(BigInt(count), 32);
  records.writeBigUInt64LE(BigInt(length), 40);
  records.writeBigUInt64LE(BigInt(offset), 48);
  records.writeUInt32LE(0x07064b50, 56);
  records.writeBigUInt64LE(BigInt(offset + length), 64);
  records.writeUInt32LE(1, 72);
  records.writeUInt32LE(0x06054b50, 76);
  records.writeUInt16LE(MAX16, 84);
  records.writeUInt16LE(MAX16, 86);
  records.writeUInt32LE(MAX32, 88);
  records.writeUInt32LE(MAX32, 92);
  return records;
}
