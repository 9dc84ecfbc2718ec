/** A blob inside its seal: its plaintext as it is, or compressed as one zstd frame. */
import { hash } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import { Failure } from '../../base/failure.ts';
import { ENVELOPE_OVERHEAD } from '../crypto/envelope.ts';

export type BlobType = 'data' | 'tree';

/** What a hostile index may make us allocate for one blob. */
const MAX_BLOB = 1024 * 1024 * 1024;
/** The smallest output buffer that the platform's decompression takes. */
const MIN_CHUNK = 64;

/** How long a blob is, in bytes. */
export interface BlobLengths {
  /** Sealed. */
  readonly length: number;
  /** Before compression; 0 when it is stored as it is. */
  readonly uncompressedLength: number;
}

/** Bytes of the plaintext. */
export function plainLength({ length, uncompressedLength }: BlobLengths): number {
  return uncompressedLength === 0 ? length - ENVELOPE_OVERHEAD : uncompressedLength;
}

/** Decompresses an opened blob (when `uncompressedLength` is not 0) and verifies its id. Throws `data_damaged`. */
export function openBlob(opened: Buffer, uncompressedLength: number, idBytes: Uint8Array): Buffer {
  const plain = uncompressedLength === 0 ? opened : decompressBlob(opened, uncompressedLength);
  if (!hash('sha256', plain, 'buffer').equals(idBytes))
    throw new Failure('data_damaged', 'A blob does not hash to its id.');
  return plain;
}

/** The plaintext in a frame, which must have exactly `length` bytes. Throws `data_damaged`. */
export function decompressBlob(frame: Buffer, length: number): Buffer {
  if (length > MAX_BLOB) throw new Failure('data_damaged', 'A blob claims an absurd length.');
  try {
    // one byte more than needed: a buffer that was filled to the end would be followed by another one
    const plain = zstdDecompressSync(frame, { maxOutputLength: length, chunkSize: Math.max(length + 1, MIN_CHUNK) });
    if (plain.length === length) return plain;
  } catch (error) {
    throw new Failure('data_damaged', 'A blob does not decompress.', { cause: error });
  }
  throw new Failure('data_damaged', 'A blob is shorter than its index says.');
}
