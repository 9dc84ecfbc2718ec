/**
 * Which packs a restore fetches whole, because a whole pack can vouch for its blobs (decisions 11 and 15), which then need not be hashed
 * one by one.
 */
import { packHeaderSize } from './format/pack-header.ts';
import type { BlobIndex } from './index/blob-index.ts';

/** With fewer plain bytes for each blob of the index, looking through it costs more than it can save. */
const WORTH_LOOKING = 64;
/** Bytes of the pack beside those that are wanted. */
const MAX_REST = 1024 * 1024;
/** Larger packs are fetched in stretches: memory is bounded. */
const MAX_PACK = 32 * 1024 * 1024;
const EMPTY_HEADER = packHeaderSize([]);
const RAW_ENTRY = packHeaderSize([{ uncompressedLength: 0 }]) - EMPTY_HEADER;
const COMPRESSED_MORE = packHeaderSize([{ uncompressedLength: 1 }]) - EMPTY_HEADER - RAW_ENTRY;

export class WholePacks {
  /** Bytes of each pack as the index has it, by number; undefined where nothing was worth looking. */
  readonly #sizes: Float64Array | undefined;

  constructor(index: BlobIndex, plainBytes: number) {
    this.#sizes = plainBytes < WORTH_LOOKING * index.blobCount ? undefined : packSizes(index);
  }

  /** The size of the pack if it is better fetched as a whole, else undefined. `wanted`: sealed bytes of it that are needed anyway. */
  sizeOf(pack: number, wanted: number): number | undefined {
    const size = this.#sizes?.[pack] ?? Number.POSITIVE_INFINITY;
    return size <= MAX_PACK && size - wanted <= MAX_REST ? size : undefined;
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
