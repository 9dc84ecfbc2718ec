/** Packs made of blobs that are sealed already: their bytes are taken over as they are, only the header is new. */
import { createHash } from 'node:crypto';
import { type Id, id as toId } from '../../base/ids.ts';
import { ENVELOPE_OVERHEAD, type MasterKey, Sealer } from '../crypto/envelope.ts';
import { PackBinding } from '../crypto/pack-binding.ts';
import type { PackEntry } from '../format/index-file.ts';
import { assertReadsBack, encodePackHeader, MAX_BLOBS_PER_PACK, type PackedBlob } from '../format/pack-header.ts';

export interface AssembledPack extends PackEntry {
  readonly id: Id;
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
}

export type BlobPlace = Pick<PackedBlob, 'type' | 'id' | 'uncompressedLength'>;

/** One pack at a time, of one type of blob. */
export class PackAssembler {
  readonly #sealer: Sealer;
  readonly #binding: PackBinding;
  readonly #target: number;
  #parts: Uint8Array[] = [];
  #blobs: PackedBlob[] = [];
  #size = 0;

  /** `target`: a pack is closed once it has this many bytes. */
  constructor(key: MasterKey, target: number) {
    this.#sealer = new Sealer(key);
    this.#binding = new PackBinding(key);
    this.#target = target;
  }

  get isEmpty(): boolean {
    return this.#blobs.length === 0;
  }

  get isFull(): boolean {
    return this.#size >= this.#target || this.#blobs.length >= MAX_BLOBS_PER_PACK;
  }

  /** Appends a verified blob; `sealed` is kept, not copied. */
  add(blob: BlobPlace, sealed: Uint8Array): void {
    this.#blobs.push({ ...blob, offset: this.#size, length: sealed.length });
    this.#parts.push(sealed);
    this.#size += sealed.length;
  }

  /** Closes the pack and starts an empty one. */
  finish(): AssembledPack {
    const plaintext = encodePackHeader(this.#blobs);
    const header = Buffer.allocUnsafe(plaintext.length + ENVELOPE_OVERHEAD);
    this.#sealer.sealUnder(this.#binding.newIv(plaintext, this.#parts), plaintext, header, 0);
    assertReadsBack(this.#sealer, header, this.#blobs);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(header.length);
    const parts = [...this.#parts, header, length];
    const name = createHash('sha256');
    for (const part of parts) name.update(part);
    const pack = { id: toId(name.digest('hex')), blobs: this.#blobs, parts, bytes: this.#size + header.length + 4 };
    this.#parts = [];
    this.#blobs = [];
    this.#size = 0;
    return pack;
  }
}
