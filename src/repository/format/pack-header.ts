/**
 * Pack headers: what a pack says about its own blobs. Plaintext entries `type(1) ‖ length(4, little-endian, sealed) ‖
 * [uncompressed length(4), types 2 and 3 only] ‖ id(32)`, in the order of the blobs, which are contiguous from offset 0. The sealed
 * header follows the last blob, and its length (4, little-endian) ends the pack.
 */
import { Failure } from '../../base/failure.ts';
import { type Id, idFromBytes } from '../../base/ids.ts';
import { ENVELOPE_OVERHEAD, type Sealer } from '../crypto/envelope.ts';
import type { BlobType } from './blob.ts';

/** A blob's place in a pack. */
export interface PackedBlob {
  readonly type: BlobType;
  /** SHA-256 of the blob's plaintext, uncompressed. */
  readonly id: Id;
  /** Bytes from the pack's beginning. */
  readonly offset: number;
  /** Sealed length in bytes. */
  readonly length: number;
  /** Bytes before compression; 0 when it is stored as it is. */
  readonly uncompressedLength: number;
}

const RAW_ENTRY = 37;
const COMPRESSED_ENTRY = 41;
const COMPRESSED_BIT = 2;
const TREE_BIT = 1;
const UINT32 = 2 ** 32;

/** Bytes at the end of a pack that give the length of its sealed header. */
export const LENGTH_FIELD = 4;

/** Readers refuse a longer one (restic); about 400,000 blobs. */
export const MAX_HEADER_SIZE = 16 * 1024 * 1024;

/** Where writers close a pack: it keeps the sealed header far below what readers accept. */
export const MAX_BLOBS_PER_PACK = 100_000;

/** Bytes that header and length field take at the end of a pack of `blobs`. */
export function packHeaderSize(blobs: readonly Pick<PackedBlob, 'uncompressedLength'>[]): number {
  let size = ENVELOPE_OVERHEAD + LENGTH_FIELD;
  for (const blob of blobs) size += entrySize(blob.uncompressedLength !== 0);
  return size;
}

/** The plaintext of the header. Offsets are not written: `blobs` must be contiguous from 0, in order. */
export function encodePackHeader(blobs: readonly PackedBlob[]): Buffer {
  const header = Buffer.allocUnsafe(packHeaderSize(blobs) - ENVELOPE_OVERHEAD - LENGTH_FIELD);
  if (header.length > MAX_HEADER_SIZE) throw new RangeError(`too many blobs for one pack: ${blobs.length}`);
  let at = 0;
  let offset = 0;
  for (const blob of blobs) {
    if (blob.offset !== offset) throw new RangeError(`a gap before blob ${blob.id} of a pack`);
    offset += blob.length;
    at = writeEntry(header, at, blob);
  }
  return header;
}

function writeEntry(header: Buffer, start: number, blob: PackedBlob): number {
  const compressed = blob.uncompressedLength !== 0;
  let at = header.writeUInt8((blob.type === 'tree' ? TREE_BIT : 0) | (compressed ? COMPRESSED_BIT : 0), start);
  at = header.writeUInt32LE(blob.length, at);
  if (compressed) at = header.writeUInt32LE(blob.uncompressedLength, at);
  return at + header.write(blob.id, at, 'hex');
}

/** Reads a header's plaintext. Throws `data_damaged` when it is not made of whole, plausible entries. */
export function parsePackHeader(plaintext: Uint8Array): PackedBlob[] {
  if (plaintext.length > MAX_HEADER_SIZE) throw damaged('is longer than 16 MiB');
  const header = Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.length);
  const blobs: PackedBlob[] = [];
  let offset = 0;
  for (let at = 0; at < header.length; ) {
    const kind = header[at]!;
    if (kind > 3) throw damaged(`names an unknown blob type, ${kind}`);
    const compressed = (kind & COMPRESSED_BIT) !== 0;
    const next = at + entrySize(compressed);
    if (next > header.length) throw damaged('is cut short');
    const length = header.readUInt32LE(at + 1);
    const uncompressedLength = compressed ? header.readUInt32LE(at + 5) : 0;
    if (length < ENVELOPE_OVERHEAD || (compressed && uncompressedLength === 0))
      throw damaged('has an impossible length');
    const type = kind & TREE_BIT ? 'tree' : 'data';
    blobs.push({ type, id: idFromBytes(header, next - 32), offset, length, uncompressedLength });
    offset += length;
    if (offset >= UINT32) throw damaged('describes more than 4 GiB');
    at = next;
  }
  return blobs;
}

/** Whether both name the same blobs at the same places. */
export function isSameHeader(a: readonly PackedBlob[], b: readonly PackedBlob[]): boolean {
  return a.length === b.length && a.every((blob, i) => isSameBlob(blob, b[i]!));
}

/** Throws `data_damaged` unless the sealed header opens again and says what was written: see `isSameHeader`. */
export function assertReadsBack(sealer: Sealer, sealedHeader: Uint8Array, blobs: readonly PackedBlob[]): void {
  if (isSameHeader(parsePackHeader(sealer.open(sealedHeader)), blobs)) return;
  throw new Failure('data_damaged', 'A sealed pack header did not read back as it was written.', {
    hint: 'This points at faulty memory in this machine: test it before trusting any backup made on it.',
  });
}

function isSameBlob(a: PackedBlob, b: PackedBlob): boolean {
  const samePlace = a.offset === b.offset && a.length === b.length && a.uncompressedLength === b.uncompressedLength;
  return samePlace && a.id === b.id && a.type === b.type;
}

function entrySize(compressed: boolean): number {
  return compressed ? COMPRESSED_ENTRY : RAW_ENTRY;
}

function damaged(why: string): Failure {
  return new Failure('data_damaged', `A pack's header ${why}.`);
}
