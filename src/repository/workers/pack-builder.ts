/**
 * A pack while it grows: blobs are sealed straight into its buffer, then the sealed header is appended, read back and compared, and the
 * whole is named by its SHA-256 (format: blobs, header, header length as uint32 LE).
 */
import { hash } from 'node:crypto';
import { idFromBytes } from '../../base/ids.ts';
import { ENVELOPE_OVERHEAD, type Sealer } from '../crypto/envelope.ts';
import type { PackBinding } from '../crypto/pack-binding.ts';
import {
  assertReadsBack,
  encodePackHeader,
  MAX_BLOBS_PER_PACK,
  type PackedBlob,
  packHeaderSize,
} from '../format/pack-header.ts';
import type { SealedPackMessage } from './messages.ts';
import type { PackMemory, PackPlace } from './pack-memory.ts';

/** What seals a pack, blobs and header. */
export interface PackSeals {
  readonly sealer: Sealer;
  readonly binding: PackBinding;
}

const NOWHERE: PackPlace = { bytes: new Uint8Array(0) };

export class PackBuilder {
  readonly #sealer: Sealer;
  readonly #binding: PackBinding;
  readonly #isTree: boolean;
  readonly #target: number;
  readonly #memory: PackMemory;
  #place: PackPlace = NOWHERE;
  #size = 0;
  #blobs: PackedBlob[] = [];

  constructor({ sealer, binding }: PackSeals, isTree: boolean, target: number, memory: PackMemory) {
    this.#memory = memory;
    this.#sealer = sealer;
    this.#binding = binding;
    this.#isTree = isTree;
    this.#target = target;
  }

  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size >= this.#target || this.#blobs.length >= MAX_BLOBS_PER_PACK;
  }

  /** Seals `stored` (compressed when `uncompressedLength` is not 0) as the next blob; returns the bytes it takes. */
  add(id: Uint8Array, stored: Uint8Array, uncompressedLength: number): number {
    this.#reserve(stored.length + ENVELOPE_OVERHEAD);
    const length = this.#sealer.sealInto(stored, this.#place.bytes, this.#size);
    this.#blobs.push({
      type: this.#isTree ? 'tree' : 'data',
      id: idFromBytes(id),
      offset: this.#size,
      length,
      uncompressedLength,
    });
    this.#size += length;
    return length;
  }

  /** Takes over the blobs of another pack, sealed as they are. */
  absorb(other: PackBuilder): void {
    this.#reserve(other.#size);
    this.#place.bytes.set(other.#place.bytes.subarray(0, other.#size), this.#size);
    for (const blob of other.#blobs) this.#blobs.push({ ...blob, offset: blob.offset + this.#size });
    this.#size += other.#size;
    this.#memory.giveBack(other.#place);
    other.#reset();
  }

  /** Closes the pack and starts an empty one. */
  finish(): SealedPackMessage {
    const header = encodePackHeader(this.#blobs);
    this.#reserve(packHeaderSize(this.#blobs));
    const { bytes: buffer, slot } = this.#place;
    const iv = this.#binding.newIv(header, this.#sealedBlobs());
    const sealedLength = this.#sealer.sealUnder(iv, header, buffer, this.#size);
    assertReadsBack(this.#sealer, buffer.subarray(this.#size, this.#size + sealedLength), this.#blobs);
    const end = this.#size + sealedLength;
    new DataView(buffer.buffer).setUint32(end, sealedLength, true);
    const bytes = buffer.subarray(0, end + 4);
    const message: SealedPackMessage = {
      kind: 'pack',
      id: hash('sha256', bytes, 'buffer'),
      bytes,
      ...(slot === undefined ? {} : { slot }),
      isTree: this.#isTree,
      ...packTable(this.#blobs),
    };
    this.#reset();
    return message;
  }

  *#sealedBlobs(): Generator<Uint8Array> {
    for (const { offset, length } of this.#blobs) yield this.#place.bytes.subarray(offset, offset + length);
  }

  #reserve(more: number): void {
    const needed = this.#size + more;
    const old = this.#place;
    if (needed <= old.bytes.length) return;
    this.#place = this.#memory.take(needed);
    this.#place.bytes.set(old.bytes.subarray(0, this.#size));
    this.#memory.giveBack(old);
  }

  #reset(): void {
    this.#place = NOWHERE;
    this.#size = 0;
    this.#blobs = [];
  }
}

function packTable(blobs: readonly PackedBlob[]): { blobIds: Uint8Array; blobPlaces: Uint32Array } {
  const blobIds = new Uint8Array(blobs.length * 32);
  const blobPlaces = new Uint32Array(blobs.length * 3);
  blobs.forEach((blob, i) => {
    blobIds.set(Buffer.from(blob.id, 'hex'), i * 32);
    blobPlaces.set([blob.offset, blob.length, blob.uncompressedLength], i * 3);
  });
  return { blobIds, blobPlaces };
}
