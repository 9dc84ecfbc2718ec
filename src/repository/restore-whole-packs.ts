/**
 * Which packs a restore fetches whole, because hashing the pack is less work than hashing what is in it (decision 11).
 *
 * A pack is named by the SHA-256 of its bytes, and the index names each blob's place in it. So a pack that hashes to its name holds, at
 * those places, what was written under those ids.
 */
import { packHeaderSize } from './format/pack-header.ts';
import type { BlobIndex } from './index/blob-index.ts';

/** With fewer plain bytes for each blob of the index, looking through it costs more than it can save. */
const WORTH_LOOKING = 64;
/** Plain bytes for each byte of the pack: one hash after the other is that much slower than four side by side. */
const WORTHWHILE = 1.4;
/** Bytes of the pack beside those that are wanted. */
const MAX_REST = 1024 * 1024;
/** Larger packs are fetched in stretches: memory is bounded. */
const MAX_PACK = 32 * 1024 * 1024;
const EMPTY_HEADER = packHeaderSize([]);
const RAW_ENTRY = packHeaderSize([{ uncompressedLength: 0 }]) - EMPTY_HEADER;
const COMPRESSED_MORE = packHeaderSize([{ uncompressedLength: 1 }]) - EMPTY_HEADER - RAW_ENTRY;

/** What a restore wants of one pack, in bytes. */
export interface PackDemand {
  readonly sealed: number;
  readonly plain: number;
}

export class WholePacks {
  /** Bytes of each pack as the index has it, by number; undefined where nothing was worth looking. */
  readonly #sizes: Float64Array | undefined;

  constructor(index: BlobIndex, plainBytes: number) {
    this.#sizes = plainBytes < WORTH_LOOKING * index.blobCount ? undefined : packSizes(index);
  }

  /** The size of the pack if it is better fetched and hashed as a whole, else undefined. */
  sizeOf(pack: number, { sealed, plain }: PackDemand): number | undefined {
    const size = this.#sizes?.[pack] ?? Number.POSITIVE_INFINITY;
    return size <= MAX_PACK && size - sealed <= MAX_REST && plain >= size * WORTHWHILE ? size : undefined;
  }
}

function packSizes(index: BlobIndex): Float64Array {
  const sizes = new Float64Array(index.packCount).fill(EMPTY_HEADER);
  for (let row = 0; row < index.blobCount; row++) {
    const { pack, length, uncompressedLength } = index.at(row);
    sizes[pack]! += length + RAW_ENTRY + (uncompressedLength === 0 ? 0 : COMPRESSED_MORE);
  }
  return sizes;
}
