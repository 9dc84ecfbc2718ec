/**
 * Whether tracked files of a checkout differ from what Git last recorded of them, from Git's index file alone
 * (https://git-scm.com/docs/index-format, versions 2 to 4). Git itself is not asked: in a checkout that someone else can write to, its
 * configuration can name programs that `git status` would run.
 */
import { createHash } from 'node:crypto';
import { lstat, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { readSmall } from './read-small.ts';

interface GitIndex {
  readonly entries: readonly IndexEntry[];
  /** Something was added since the last commit or check-out, as far as the index tells (its cached tree is no longer valid). */
  readonly staged: boolean;
}

interface IndexEntry {
  readonly path: Buffer;
  /** `st_mode` as Git keeps it: type and, for files, 0644 or 0755. */
  readonly mode: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  /** The low 32 bits. */
  readonly size: number;
  /** 20 bytes (SHA-1) or 32 (SHA-256). */
  readonly hash: Buffer;
  /** Merge stage; not 0 where a merge has left a conflict. */
  readonly stage: number;
  /** Said not to be in the work tree, or not to be looked at. */
  readonly skipped: boolean;
}

const MAX_INDEX = 64 * 1024 * 1024;
const MAX_ENTRIES = 100_000;
const MAX_HASHED_FILES = 1000;
const MAX_HASHED_BYTES = 16 * 1024 * 1024;
const FIXED = 40;

/**
 * True: something differs. False: nothing tracked does. Undefined: it cannot be told (no index, one that is too large or of an unknown
 * form, or changes that are staged and perhaps not committed).
 */
export async function hasLocalChanges(
  workTree: string,
  indexFile: string,
  hashName: 'sha1' | 'sha256',
): Promise<boolean | undefined> {
  const bytes = await readSmall(indexFile, MAX_INDEX);
  const index = bytes === undefined ? undefined : parseIndex(bytes, hashName === 'sha1' ? 20 : 32);
  if (index === undefined) return undefined;
  const doubtful: IndexEntry[] = [];
  for (const entry of index.entries) {
    if (entry.stage !== 0) return true;
    const verdict = entry.skipped ? 'same' : await compareStat(workTree, entry);
    if (verdict === 'differs') return true;
    if (verdict === 'doubtful') doubtful.push(entry);
  }
  if (doubtful.length > MAX_HASHED_FILES) return undefined;
  for (const entry of doubtful) if (await contentDiffers(workTree, entry, hashName)) return true;
  return index.staged ? undefined : false;
}

/** An index; undefined when it is not one that we understand, or is damaged. */
function parseIndex(bytes: Buffer, hashLength: number): GitIndex | undefined {
  if (bytes.length < 12 || bytes.toString('latin1', 0, 4) !== 'DIRC') return undefined;
  const version = bytes.readUInt32BE(4);
  const count = bytes.readUInt32BE(8);
  if (version < 2 || version > 4 || count > MAX_ENTRIES) return undefined;
  try {
    return readEntries(bytes, version, count, hashLength);
  } catch (error) {
    if (error instanceof RangeError) return undefined; // it ends in the middle of an entry
    throw error;
  }
}

function readEntries(bytes: Buffer, version: number, count: number, hashLength: number): GitIndex {
  const entries: IndexEntry[] = [];
  let at = 12;
  let previous: Buffer = Buffer.alloc(0);
  for (let i = 0; i < count; i++) {
    const flags = bytes.readUInt16BE(at + FIXED + hashLength);
    const extended = (flags & 0x4000) !== 0 && version >= 3;
    const start = at + FIXED + hashLength + (extended ? 4 : 2);
    const more = extended ? bytes.readUInt16BE(start - 2) : 0;
    const name = version === 4 ? compressedName(bytes, start, previous) : plainName(bytes, at, start);
    previous = name.path;
    entries.push({
      path: name.path,
      mtimeSeconds: bytes.readUInt32BE(at + 8),
      mtimeNanoseconds: bytes.readUInt32BE(at + 12),
      mode: bytes.readUInt32BE(at + 24),
      size: bytes.readUInt32BE(at + 36),
      hash: bytes.subarray(at + FIXED, at + FIXED + hashLength),
      stage: (flags >> 12) & 3,
      skipped: (flags & 0x8000) !== 0 || (more & 0x4000) !== 0,
    });
    at = name.next;
  }
  return { entries, staged: isTreeInvalid(bytes, at, bytes.length - hashLength) };
}

/** Looks for the extension TREE behind the entries: the cached tree of the root has a negative count once something was added. */
function isTreeInvalid(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at + 8 <= end; at += 8 + bytes.readUInt32BE(at + 4)) {
    if (bytes.toString('latin1', at, at + 4) === 'TREE') return bytes.toString('latin1', at + 8, at + 11) === '\0-1';
  }
  return false;
}

/** Versions 2 and 3: up to a zero byte; entries are padded with zero bytes to a multiple of eight. */
function plainName(bytes: Buffer, entryStart: number, start: number): { path: Buffer; next: number } {
  const end = zeroAfter(bytes, start);
  return { path: bytes.subarray(start, end), next: entryStart + ((end - entryStart + 8) & ~7) };
}

/** Version 4: how many bytes to take off the previous path, then what to put on. */
function compressedName(bytes: Buffer, start: number, previous: Buffer): { path: Buffer; next: number } {
  let at = start;
  let strip = bytes.readUInt8(at) & 0x7f;
  while ((bytes.readUInt8(at++) & 0x80) !== 0) strip = (strip + 1) * 128 + (bytes.readUInt8(at) & 0x7f);
  if (strip > previous.length) throw new RangeError('a path shorter than nothing');
  const end = zeroAfter(bytes, at);
  return {
    path: Buffer.concat([previous.subarray(0, previous.length - strip), bytes.subarray(at, end)]),
    next: end + 1,
  };
}

function zeroAfter(bytes: Buffer, start: number): number {
  const end = bytes.indexOf(0, start);
  if (end < 0 || end - start > 4096) throw new RangeError('a path without an end');
  return end;
}

async function compareStat(workTree: string, entry: IndexEntry): Promise<'same' | 'differs' | 'doubtful'> {
  const stats = await lstat(fullPath(workTree, entry), { bigint: true }).catch(() => undefined);
  const type = entry.mode & 0o170000;
  if (type === 0o160000 || type === 0o040000) return 'same'; // a submodule, a directory of a sparse index
  if (stats === undefined || (Number(stats.mode) & 0o170000) !== type) return 'differs';
  if (type === 0o100000 && ((Number(stats.mode) & 0o100) !== 0) !== ((entry.mode & 0o100) !== 0)) return 'differs';
  const sameTime =
    stats.mtimeNs / 1_000_000_000n === BigInt(entry.mtimeSeconds) &&
    (entry.mtimeNanoseconds === 0 || stats.mtimeNs % 1_000_000_000n === BigInt(entry.mtimeNanoseconds));
  return sameTime && Number(stats.size & 0xffffffffn) === entry.size ? 'same' : 'doubtful';
}

/** Hashes the file as Git does. Line-ending and other filters are not applied: such a file counts as changed once it was touched. */
async function contentDiffers(workTree: string, entry: IndexEntry, hashName: string): Promise<boolean> {
  const path = fullPath(workTree, entry);
  const isLink = (entry.mode & 0o170000) === 0o120000;
  try {
    if ((await lstat(path)).size > MAX_HASHED_BYTES) return true;
    const content = isLink ? await readlink(path, 'buffer') : await readFile(path);
    const hash = createHash(hashName).update(`blob ${content.length}\0`).update(content).digest();
    return !hash.equals(entry.hash);
  } catch {
    return true;
  }
}

function fullPath(workTree: string, entry: IndexEntry): Buffer {
  return Buffer.concat([Buffer.from(join(workTree, '/')), entry.path]);
}
