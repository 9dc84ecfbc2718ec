/**
 * A whole pack vouches for its blobs: they are the ones that the index names, none swapped, none from elsewhere (decisions 11 and 15).
 * Either its header is bound to what stands before it; or, for packs that others made, all of it hashes to its name, which is done only
 * where it is less work than hashing the blobs.
 */
import { hash } from 'node:crypto';
import { isFailure } from '../../base/failure.ts';
import { idFromBytes } from '../../base/ids.ts';
import { IV_SIZE, type MasterKey, Sealer } from '../crypto/envelope.ts';
import { PackBinding } from '../crypto/pack-binding.ts';
import { LENGTH_FIELD, type PackedBlob, parsePackHeader } from '../format/pack-header.ts';

/** Plain bytes for each byte of the pack: one hash after the other is that much slower than four side by side. */
const WORTHWHILE = 1.4;

/** A blob as the index has it. */
export interface IndexedBlob {
  readonly id: Uint8Array;
  readonly offset: number;
  readonly length: number;
  readonly uncompressedLength: number;
}

export interface Voucher {
  /** Whether these bytes of the pack, once their seal is found whole, are that blob as it was sealed. */
  vouchesFor(blob: IndexedBlob): boolean;
}

export const NO_VOUCHER: Voucher = { vouchesFor: () => false };

export class PackVouchers {
  readonly #sealer: Sealer;
  readonly #binding: PackBinding;

  constructor(key: MasterKey) {
    this.#sealer = new Sealer(key);
    this.#binding = new PackBinding(key);
  }

  /** For a whole pack, of which `plain` bytes are wanted. */
  of(bytes: Uint8Array, packId: Uint8Array, plain: number): Voucher {
    const blobs = this.#boundBlobs(bytes);
    if (blobs !== undefined) return { vouchesFor: (blob) => isSame(blobs.get(blob.offset), blob) };
    if (plain < bytes.length * WORTHWHILE) return NO_VOUCHER;
    const isWhole = hash('sha256', bytes, 'buffer').equals(packId);
    return { vouchesFor: () => isWhole };
  }

  /** The blobs of a pack by their offsets, if its header is bound to them. Their own seals are not looked at. */
  #boundBlobs(bytes: Uint8Array): ReadonlyMap<number, PackedBlob> | undefined {
    const end = bytes.length - LENGTH_FIELD;
    if (end < 0) return undefined;
    const start = end - new DataView(bytes.buffer, bytes.byteOffset).getUint32(end, true);
    if (start < 0) return undefined;
    const sealed = bytes.subarray(start, end);
    const header = this.#readHeader(sealed);
    const last = header?.blobs.at(-1);
    if (header === undefined || last === undefined || last.offset + last.length !== start) return undefined;
    const { plaintext, blobs } = header;
    const seals = blobs.map(({ offset, length }) => bytes.subarray(offset, offset + length));
    return this.#binding.isBound(sealed.subarray(0, IV_SIZE), plaintext, seals)
      ? new Map(blobs.map((blob) => [blob.offset, blob]))
      : undefined;
  }

  #readHeader(sealed: Uint8Array): { plaintext: Buffer; blobs: readonly PackedBlob[] } | undefined {
    try {
      const plaintext = this.#sealer.open(sealed);
      return { plaintext, blobs: parsePackHeader(plaintext) };
    } catch (error) {
      if (isFailure(error, 'data_damaged')) return undefined;
      throw error;
    }
  }
}

function isSame(found: PackedBlob | undefined, { id, length, uncompressedLength }: IndexedBlob): boolean {
  return (
    found !== undefined &&
    found.length === length &&
    found.uncompressedLength === uncompressedLength &&
    found.id === idFromBytes(id)
  );
}
