/** Reads one pack from one storage and has it verified: hashed, and where asked every blob in it opened. */
import type { CallOptions } from '../../storage/object-store.ts';
import { objectKey } from '../keys.ts';
import type { Replica } from '../replicas.ts';
import type { BlobTable, VerifyReply } from '../workers/verify-messages.ts';
import type { PackTable } from './pack-table.ts';
import type { VerifyPool } from './verify-pool.ts';

/** Packs up to this size are read at once, larger ones in parts of about this size (never within a blob that is opened). */
const PART = 64 * 1024 * 1024;

export interface PackVerdict {
  readonly misnamed: boolean;
  readonly badBlobs: number;
  /** What is wrong with the header; undefined when nothing is, or it was not looked at. */
  readonly header: string | undefined;
}

export interface PackReading {
  readonly replica: Replica;
  readonly table: PackTable;
  readonly pool: VerifyPool;
  /** Open every blob, too. */
  readonly deep: boolean;
  readonly options: CallOptions;
}

interface Part {
  readonly start: number;
  readonly end: number;
  /** Rows of the blobs within. */
  readonly rows: Uint32Array;
}

/** Throws what the storage throws. The pack must have the size that the index gives it. */
export async function verifyPack(reading: PackReading, pack: number): Promise<PackVerdict> {
  const { table, pool, deep, replica, options } = reading;
  const packId = table.index.packId(pack);
  const key = objectKey('data', packId);
  const stream = pool.newStream();
  const parts = partsOf(table, pack, deep);
  let badBlobs = 0;
  let last: VerifyReply | undefined;
  for (const [i, part] of parts.entries()) {
    const range = parts.length === 1 ? undefined : { offset: part.start, length: part.end - part.start };
    const bytes = await replica.store.get(key, range, options);
    last = await pool.verify(stream, {
      bytes,
      ...(deep ? { blobs: blobTable(table, part.rows, part.start) } : {}),
      ...(i === parts.length - 1 ? { end: { packId } } : {}),
    });
    badBlobs += last.badBlobs.length;
  }
  return { misnamed: last?.misnamed ?? true, badBlobs, header: last?.header };
}

function partsOf(table: PackTable, pack: number, deep: boolean): Part[] {
  const size = table.size(pack);
  const rows = table.rows(pack);
  if (size <= PART) return [{ start: 0, end: size, rows }];
  return deep ? partsAtBlobs(table, rows, size) : evenParts(size);
}

function evenParts(size: number): Part[] {
  const parts: Part[] = [];
  for (let start = 0; start < size; start += PART)
    parts.push({ start, end: Math.min(size, start + PART), rows: new Uint32Array(0) });
  return parts;
}

function partsAtBlobs(table: PackTable, rows: Uint32Array, size: number): Part[] {
  const parts: Part[] = [];
  let first = 0;
  let start = 0;
  rows.forEach((row, i) => {
    const { offset, length } = table.index.at(row);
    const end = offset + length;
    if (i > first && end - start > PART) {
      parts.push({ start, end: offset, rows: rows.subarray(first, i) });
      first = i;
      start = offset;
    }
  });
  parts.push({ start, end: size, rows: rows.subarray(first) });
  return parts;
}

/** The blobs of `rows` as they stand in bytes that begin at `start` of the pack. */
export function blobTable({ index }: PackTable, rows: Uint32Array, start: number): BlobTable {
  const ids = new Uint8Array(rows.length * 32);
  const places = new Uint32Array(rows.length * 3);
  const trees = new Uint8Array(rows.length);
  rows.forEach((row, i) => {
    const { type, offset, length, uncompressedLength } = index.at(row);
    ids.set(index.blobId(row), i * 32);
    places.set([offset - start, length, uncompressedLength], i * 3);
    trees[i] = type === 'tree' ? 1 : 0;
  });
  return { ids, places, trees };
}
