/** Finds the blobs of a file's content in the index, each in the pack that is nearest, and counts what there is to fetch. */
import { plainLength } from './format/blob.ts';
import type { BlobIndex } from './index/blob-index.ts';
import { IdTable } from './index/id-table.ts';

const HOLE_FROM = 64 * 1024;
const HOLE_RATIO = 500;

/** What is to be fetched from one pack. */
export interface PackShare {
  readonly pack: number;
  readonly bytes: number;
}

export class RestoreContent {
  readonly #index: BlobIndex;
  readonly #mask: number;
  readonly #ids: IdTable;
  /** One bit per row of the index. */
  readonly #seen: Uint8Array;
  readonly #byPack = new Map<number, number>();
  /** Sealed bytes of all blobs found so far, each counted once. */
  fetchBytes = 0;

  /** Only packs that a storage of `mask` holds count. The index must not grow meanwhile. */
  constructor(index: BlobIndex, mask: number) {
    this.#index = index;
    this.#mask = mask;
    this.#ids = IdTable.fromFrozen(index.freeze().blobs);
    this.#seen = new Uint8Array(Math.ceil(index.blobCount / 8));
  }

  /** The index rows of a content list (32 bytes per blob), or undefined when a blob is in no pack at hand. */
  locate(content: Uint8Array): number[] | undefined {
    const rows: number[] = [];
    for (let at = 0; at < content.length; at += 32) {
      const row = this.#nearest(content, at);
      if (row < 0) return undefined;
      rows.push(row);
    }
    return rows;
  }

  /** Bytes of the blob before sealing and compression. */
  plainLength(row: number): number {
    return plainLength(this.#index.at(row));
  }

  /** Whether the blob can only be zeros: nothing else compresses so well. For estimates. */
  isHole(row: number): boolean {
    const { length, uncompressedLength } = this.#index.at(row);
    return uncompressedLength >= HOLE_FROM && length * HOLE_RATIO < uncompressedLength;
  }

  /** Counts a blob among those to be fetched. */
  count(row: number): void {
    const bit = 1 << (row & 7);
    if ((this.#seen[row >> 3]! & bit) !== 0) return;
    this.#seen[row >> 3]! |= bit;
    const { pack, length } = this.#index.at(row);
    this.fetchBytes += length;
    this.#byPack.set(pack, (this.#byPack.get(pack) ?? 0) + length);
  }

  shares(): PackShare[] {
    return [...this.#byPack].map(([pack, bytes]) => ({ pack, bytes }));
  }

  #nearest(content: Uint8Array, at: number): number {
    let best = -1;
    let bestBit = Number.POSITIVE_INFINITY;
    this.#ids.some(content, at, (row) => {
      const { type, pack } = this.#index.at(row);
      const mask = this.#index.packMask(pack) & this.#mask;
      const nearest = (mask & -mask) >>> 0;
      if (type === 'data' && mask !== 0 && nearest < bestBit) {
        best = row;
        bestBit = nearest;
      }
      return nearest === 1;
    });
    return best;
  }
}
