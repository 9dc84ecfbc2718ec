/** A tar archive as a stream: POSIX 2001 (pax), so that names of any bytes, long paths, large files and exact times are kept. */
import type { DownloadedEntry } from '../download.ts';

const BLOCK = 512;
const NAME = 100;
const MAX_OCTAL_SIZE = 0o77777777777;
const MAX_OCTAL_ID = 0o7777777;
const TYPES: Readonly<Record<DownloadedEntry['type'], string | undefined>> = {
  file: '0',
  symlink: '2',
  dir: '5',
  fifo: '6',
  dev: undefined,
  chardev: undefined,
  socket: undefined,
};

/** Two empty blocks end an archive. */
export const TAR_END = Buffer.alloc(2 * BLOCK);

/** A whole archive. `prefix` begins every path. Devices and sockets are left out: they mean nothing on another machine. */
export async function* tarStream(entries: AsyncIterable<DownloadedEntry>, prefix: Buffer): AsyncGenerator<Buffer> {
  yield* tarMembers(entries, prefix);
  yield TAR_END;
}

/** The same without its end. */
export async function* tarMembers(entries: AsyncIterable<DownloadedEntry>, prefix: Buffer): AsyncGenerator<Buffer> {
  for await (const entry of entries) {
    const type = TYPES[entry.type];
    if (type === undefined) continue;
    const path = pathIn(prefix, entry);
    const size = type === '0' ? entry.size : 0;
    const pax = paxRecords(entry, path, size);
    if (pax.length > 0) {
      yield header({ name: Buffer.from('pax'), type: 'x', size: pax.length, mode: 0o644, uid: 0, gid: 0, mtime: 0 });
      yield padded(pax);
    }
    const { mode, uid, gid, linkTarget = Buffer.alloc(0), user = '', group = '' } = entry;
    const mtime = Math.max(0, Number(entry.mtimeNs / 1_000_000_000n));
    yield header({ name: path, type, size, mode, uid, gid, mtime, linkTarget, user, group });
    if (type !== '0') continue;
    yield* entry.read();
    const rest = size % BLOCK;
    if (rest > 0) yield Buffer.alloc(BLOCK - rest);
  }
}

function pathIn(prefix: Buffer, { path, type }: DownloadedEntry): Buffer {
  const slash = Buffer.from(type === 'dir' ? '/' : '');
  return prefix.length === 0 ? Buffer.concat([path, slash]) : Buffer.concat([prefix, Buffer.from('/'), path, slash]);
}

/** Only what the old header cannot hold. */
function paxRecords({ linkTarget, mtimeNs, uid, gid }: DownloadedEntry, path: Buffer, size: number): Buffer {
  const records: Buffer[] = [];
  const add = (key: string, value: Buffer | string) => records.push(paxRecord(key, Buffer.from(value)));
  if (path.length > NAME || !isAscii(path)) add('path', path);
  if (linkTarget !== undefined && (linkTarget.length > NAME || !isAscii(linkTarget))) add('linkpath', linkTarget);
  if (size > MAX_OCTAL_SIZE) add('size', String(size));
  if (uid > MAX_OCTAL_ID) add('uid', String(uid));
  if (gid > MAX_OCTAL_ID) add('gid', String(gid));
  if (mtimeNs % 1_000_000_000n !== 0n || mtimeNs < 0n) add('mtime', decimalSeconds(mtimeNs));
  return Buffer.concat(records);
}

/** `LENGTH key=value\n`, the length counting its own digits. */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length += 1;
  return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from('\n')]);
}

function decimalSeconds(ns: bigint): string {
  const absolute = ns < 0n ? -ns : ns;
  const fraction = (absolute % 1_000_000_000n).toString().padStart(9, '0');
  return `${ns < 0n ? '-' : ''}${absolute / 1_000_000_000n}.${fraction}`;
}

interface HeaderFields {
  readonly name: Buffer;
  readonly type: string;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds. */
  readonly mtime: number;
  readonly linkTarget?: Buffer;
  readonly user?: string;
  readonly group?: string;
}

function header({ name, type, size, mode, uid, gid, mtime, linkTarget, user = '', group = '' }: HeaderFields): Buffer {
  const block = Buffer.alloc(BLOCK);
  name.copy(block, 0, 0, NAME);
  octal(block, 100, 8, mode);
  octal(block, 108, 8, Math.min(uid, MAX_OCTAL_ID));
  octal(block, 116, 8, Math.min(gid, MAX_OCTAL_ID));
  octal(block, 124, 12, Math.min(size, MAX_OCTAL_SIZE));
  octal(block, 136, 12, Math.min(mtime, MAX_OCTAL_SIZE));
  block.write(type, 156, 'latin1');
  linkTarget?.copy(block, 157, 0, NAME);
  block.write('ustar\0' + '00', 257, 'latin1');
  block.write(user.slice(0, 31), 265, 31, 'utf8');
  block.write(group.slice(0, 31), 297, 31, 'utf8');
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function octal(block: Buffer, at: number, length: number, value: number): void {
  block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}

function isAscii(bytes: Buffer): boolean {
  return bytes.every((byte) => byte < 0x80);
}
