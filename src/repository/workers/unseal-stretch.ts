/**
 * A stretch of a pack on its way into files: every blob is opened, verified and written. Synchronous: it runs on a worker thread.
 *
 * A blob is verified in one of two ways (decision 11). Most are hashed, four at a time, and compared with their ids. Where the stretch is
 * a whole pack and the pack hashes to its name, its bytes are the ones that the index speaks of; then a blob whose compressed form ends
 * with a checksum of its plaintext needs no second hash. For what compresses well that is several times less work.
 */
import { hash } from 'node:crypto';
import { isFailure } from '../../base/failure.ts';
import { release, releaseAll } from '../../base/release.ts';
import type { MasterKey } from '../crypto/envelope.ts';
import { sha256All } from '../crypto/sha256-lanes.ts';
import { BlobOpener, type OpenedBlob } from './unseal-blob.ts';
import { BLOB_WORDS, type UnsealRequest } from './unseal-messages.ts';

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
  readonly #blobIds: SharedArrayBuffer;
  readonly #files: BlobPlacer;
  #pending: Pending[] = [];
  #pendingBytes = 0;
  #damaged: number[] = [];
  #written = 0;

  constructor(masterKey: MasterKey, blobIds: SharedArrayBuffer, files: BlobPlacer) {
    this.#opener = new BlobOpener(masterKey);
    this.#blobIds = blobIds;
    this.#files = files;
  }

  /** Returns the plain bytes written, and the positions of the blobs that are not what they should be. */
  write(request: WriteRequest): { readonly bytes: number; readonly damaged: readonly number[] } {
    const { bytes, blobs, packId } = request;
    this.#pending = [];
    this.#damaged = [];
    this.#written = 0;
    let isPack = packId === undefined ? false : undefined;
    for (let position = 0; position * BLOB_WORDS < blobs.length; position++) {
      const [offset, length, plainLength] = wordsOf(blobs, position);
      const opened = this.#open(bytes.subarray(offset!, offset! + length!), plainLength!);
      if (opened?.isChecked) isPack ??= hash('sha256', bytes, 'buffer').equals(packId!);
      if (opened === undefined) this.#damaged.push(position);
      else if (isPack && opened.isChecked) this.#place(request, { position, plain: opened.plain });
      else this.#hold(request, { position, plain: opened.plain });
    }
    this.#verifyHeld(request);
    release(bytes);
    return { bytes: this.#written, damaged: this.#damaged.sort((a, b) => a - b) };
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
      const row = wordsOf(request.blobs, blob.position)[3]!;
      const id = new Uint8Array(this.#blobIds, row * 32, 32);
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
