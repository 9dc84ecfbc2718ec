/** The index turned round: what each pack holds, and so how large it must be. Typed arrays, 4 bytes a blob. */
import { hash } from 'node:crypto';
import type { Id } from '../../base/ids.ts';
import { packHeaderSize } from '../format/pack-header.ts';
import type { BlobIndex } from '../index/blob-index.ts';

export class PackTable {
  readonly index: BlobIndex;
  readonly #starts: Uint32Array;
  readonly #rows: Uint32Array;
  readonly #sizes: Float64Array;

  constructor(index: BlobIndex) {
    this.index = index;
    this.#starts = new Uint32Array(index.packCount + 1);
    this.#rows = new Uint32Array(index.blobCount);
    this.#sizes = new Float64Array(index.packCount);
    this.#fill();
  }

  /** Rows of the blobs of a pack, in order of offset. */
  rows(pack: number): Uint32Array {
    return this.#rows.subarray(this.#starts[pack], this.#starts[pack + 1]);
  }

  /** Exact size of the pack in bytes, as the format prescribes it for these blobs. */
  size(pack: number): number {
    return this.#sizes[pack] as number;
  }

  #fill(): void {
    const { index } = this;
    const headerOverhead = packHeaderSize([]);
    for (let row = 0; row < index.blobCount; row++) this.#starts[index.packOf(row) + 1]! += 1;
    for (let pack = 0; pack < index.packCount; pack++) this.#starts[pack + 1]! += this.#starts[pack] as number;
    const next = this.#starts.slice();
    this.#sizes.fill(headerOverhead);
    for (let row = 0; row < index.blobCount; row++) {
      const location = index.at(row);
      this.#rows[next[location.pack]!++] = row;
      this.#sizes[location.pack]! += location.length + packHeaderSize([location]) - headerOverhead;
    }
    for (let pack = 0; pack < index.packCount; pack++) this.#sort(this.rows(pack));
  }

  /** Index files mostly list blobs in order of offset; sorting is for those that do not. */
  #sort(rows: Uint32Array): void {
    const offset = (row: number) => this.index.at(row).offset;
    let sorted = true;
    for (let i = 1; i < rows.length && sorted; i++) sorted = offset(rows[i - 1]!) <= offset(rows[i]!);
    if (!sorted) rows.sort((a, b) => offset(a) - offset(b));
  }
}

/** Whether a pack belongs to the `percent` of packs that `seed` draws. */
export function isSampled(packId: string, percent: number, seed: string): boolean {
  return draw(packId, seed) < (percent / 100) * 2 ** 32;
}

/** The pack that `seed` draws first: a sample is never empty. */
export function firstDrawn(packIds: Iterable<Id>, seed: string): Id | undefined {
  let first: Id | undefined;
  let lowest = Number.POSITIVE_INFINITY;
  for (const id of packIds) {
    const drawn = draw(id, seed);
    if (drawn >= lowest) continue;
    first = id;
    lowest = drawn;
  }
  return first;
}

function draw(packId: string, seed: string): number {
  return hash('sha256', `${seed}/${packId}`, 'buffer').readUInt32BE(0);
}
