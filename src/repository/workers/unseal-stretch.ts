/**
 * A stretch of a pack on its way into files: every blob is opened, verified and written. Synchronous: it runs on a worker thread.
 *
 * A blob is verified in one of two ways (decisions 11 and 15). Where the stretch is a whole pack that vouches for its blobs, opening the
 * seal is enough for a blob that is stored as it is, or whose compressed form ends with a checksum of its plaintext. All others are
 * hashed, four at a time, and compared with their ids.
 */
import { isFailure } from '../../base/failure.ts';
import { release, releaseAll } from '../../base/release.ts';
import type { MasterKey } from '../crypto/envelope.ts';
import { sha256All } from '../crypto/sha256-lanes.ts';
import { BlobOpener, type OpenedBlob } from './unseal-blob.ts';
import { BLOB_WORDS, type UnsealRequest } from './unseal-messages.ts';
import { type IndexedBlob, NO_VOUCHER, PackVouchers, type Voucher } from './unseal-pack.ts';

/** As many blobs are hashed at once, or as many as have this many bytes together. */
const GROUP = 4;
const GROUP_BYTES = 8 * 1024 * 1024;

type WriteRequest = Extract<UnsealRequest, { kind: 'write' }>;

/** Where opened blobs go. */
export interface BlobPlacer {
  /** Writes a blob to each of its places; returns the bytes written. */
  place(plain: Uint8Array, refs: Uint32Array): number;
}

interface Pending {
  /** Its position in the request. */
  readonly position: number;
  readonly plain: Buffer;
}

export class StretchWriter {
  readonly #opener: BlobOpener;
  readonly #vouchers: PackVouchers;
  readonly #blobIds: SharedArrayBuffer;
  readonly #files: BlobPlacer;
  #pending: Pending[] = [];
  #pendingBytes = 0;
  #damaged: number[] = [];
  #written = 0;

  constructor(masterKey: MasterKey, blobIds: SharedArrayBuffer, files: BlobPlacer) {
    this.#opener = new BlobOpener(masterKey);
    this.#vouchers = new PackVouchers(masterKey);
    this.#blobIds = blobIds;
    this.#files = files;
  }

  /** Returns the plain bytes written, and the positions of the blobs that are not what they should be. */
  write(request: WriteRequest): { readonly bytes: number; readonly damaged: readonly number[] } {
    const { bytes, blobs } = request;
    this.#pending = [];
    this.#damaged = [];
    this.#written = 0;
    const voucher = this.#voucherOf(request);
    for (let position = 0; position * BLOB_WORDS < blobs.length; position++) {
      const blob = this.#blobAt(blobs, position);
      const { offset, length, uncompressedLength } = blob;
      const opened = this.#open(bytes.subarray(offset, offset + length), uncompressedLength);
      if (opened === undefined) this.#damaged.push(position);
      else if (opened.isChecked && voucher.vouchesFor(blob)) this.#place(request, { position, plain: opened.plain });
      else this.#hold(request, { position, plain: opened.plain });
    }
    this.#verifyHeld(request);
    release(bytes);
    return { bytes: this.#written, damaged: this.#damaged.sort((a, b) => a - b) };
  }

  #voucherOf({ bytes, blobs, packId }: WriteRequest): Voucher {
    if (packId === undefined) return NO_VOUCHER;
    let plain = 0;
    for (let at = 0; at < blobs.length; at += BLOB_WORDS) plain += blobs[at + 2]! || blobs[at + 1]!;
    return this.#vouchers.of(bytes, packId, plain);
  }

  #blobAt(blobs: Uint32Array, position: number): IndexedBlob {
    const [offset, length, uncompressedLength, row] = wordsOf(blobs, position);
    const id = new Uint8Array(this.#blobIds, row! * 32, 32);
    return { id, offset: offset!, length: length!, uncompressedLength: uncompressedLength! };
  }

  #open(sealed: Uint8Array, plainLength: number): OpenedBlob | undefined {
    try {
      return this.#opener.open(sealed, plainLength);
    } catch (error) {
      if (isFailure(error, 'data_damaged')) return undefined;
      throw error;
    }
  }

  #hold(request: WriteRequest, blob: Pending): void {
    this.#pending.push(blob);
    this.#pendingBytes += blob.plain.length;
    if (this.#pending.length === GROUP || this.#pendingBytes >= GROUP_BYTES) this.#verifyHeld(request);
  }

  #verifyHeld(request: WriteRequest): void {
    const held = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    const sums = sha256All(held.map(({ plain }) => plain));
    held.forEach((blob, i) => {
      const { id } = this.#blobAt(request.blobs, blob.position);
      if (sums.subarray(i * 32, i * 32 + 32).equals(id)) this.#place(request, blob);
      else this.#damaged.push(blob.position);
    });
  }

  #place({ blobs, refs }: WriteRequest, { position, plain }: Pending): void {
    const [, , , , from, to] = wordsOf(blobs, position);
    this.#written += this.#files.place(plain, refs.subarray(from!, to!));
    releaseAll(plain);
  }
}

function wordsOf(blobs: Uint32Array, position: number): Uint32Array {
  return blobs.subarray(position * BLOB_WORDS, (position + 1) * BLOB_WORDS);
}
