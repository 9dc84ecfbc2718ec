/**
 * Where every blob is: the union of the indexes of all storages, in typed arrays (48 bytes a blob plus slots).
 *
 * A pack carries a mask of the storages whose index names it: bit s is storage number s. The same blob may stand in several packs,
 * because storages are pruned apart; it is at hand for a set of storages when the packs that hold it cover the set together.
 */
import { type Id, idFromBytes } from '../../base/ids.ts';
import type { BlobType } from '../format/blob.ts';
import { type FrozenIdTable, growableColumn, IdTable, wholeView } from './id-table.ts';

/** Storages as bits; at most 31 of them. */
export type StorageMask = number;

export interface BlobLocation {
  readonly type: BlobType;
  readonly pack: number;
  readonly offset: number;
  /** Sealed length in bytes. */
  readonly length: number;
  /** Plain length when compressed, 0 when raw. */
  readonly uncompressedLength: number;
}

export interface FrozenBlobIndex {
  readonly blobs: FrozenIdTable;
  readonly packOf: SharedArrayBuffer;
  readonly masks: SharedArrayBuffer;
}

const TREE_BIT = 0x80000000;

export class BlobIndex {
  readonly #blobs: IdTable;
  readonly #packs: IdTable;
  readonly #columns: SharedArrayBuffer;
  readonly #masksBuffer: SharedArrayBuffer;
  readonly #packOfBuffer: SharedArrayBuffer;
  #rest: Uint32Array;
  #packOf: Uint32Array;
  #masks: Uint32Array;

  constructor(expectedBlobs = 4096) {
    this.#blobs = new IdTable(expectedBlobs);
    this.#packs = new IdTable(Math.ceil(expectedBlobs / 16));
    this.#packOfBuffer = growableColumn(4, expectedBlobs);
    this.#columns = growableColumn(12, expectedBlobs);
    this.#masksBuffer = growableColumn(4, 1024);
    this.#rest = wholeView(Uint32Array, this.#columns);
    this.#packOf = wholeView(Uint32Array, this.#packOfBuffer);
    this.#masks = wholeView(Uint32Array, this.#masksBuffer);
  }

  get blobCount(): number {
    return this.#blobs.rows;
  }

  get packCount(): number {
    return this.#packs.rows;
  }

  get byteLength(): number {
    const { byteLength: packOf } = this.#packOfBuffer;
    return (
      this.#blobs.byteLength + this.#packs.byteLength + packOf + this.#columns.byteLength + this.#masksBuffer.byteLength
    );
  }

  /**
   * Registers a pack as held by `mask`. Returns its number and whether it is new; blobs are added only for a new one, since a pack's name
   * fixes its content.
   */
  addPack(id: Uint8Array, mask: StorageMask): { readonly pack: number; readonly isNew: boolean } {
    const known = this.#packs.find(id);
    if (known >= 0) {
      this.#masks[known] = (this.#masks[known] as number) | mask;
      return { pack: known, isNew: false };
    }
    const pack = this.#packs.add(id);
    if (pack >= this.#masks.length) {
      this.#masksBuffer.grow(Math.ceil(pack * 1.5) * 4 + 4096);
      this.#masks = wholeView(Uint32Array, this.#masksBuffer);
    }
    this.#masks[pack] = mask;
    return { pack, isNew: true };
  }

  /** Takes back that the storages of `mask` hold a pack. */
  withdraw(pack: number, mask: StorageMask): void {
    this.#masks[pack] = (this.#masks[pack] as number) & ~mask;
  }

  addBlob(
    pack: number,
    isTree: boolean,
    id: Uint8Array,
    offset: number,
    length: number,
    uncompressedLength: number,
  ): void {
    const row = this.#blobs.add(id);
    if (row >= this.#packOf.length) {
      const rows = Math.ceil(row * 1.125) + 1024;
      this.#packOfBuffer.grow(rows * 4);
      this.#columns.grow(rows * 12);
      this.#packOf = wholeView(Uint32Array, this.#packOfBuffer);
      this.#rest = wholeView(Uint32Array, this.#columns);
    }
    this.#packOf[row] = isTree ? pack | TREE_BIT : pack;
    this.#rest[row * 3] = offset;
    this.#rest[row * 3 + 1] = length;
    this.#rest[row * 3 + 2] = uncompressedLength;
  }

  /** Whether the storages of `needed` all hold the blob, in whichever packs. */
  has(type: BlobType, id: Uint8Array, needed: StorageMask, offset = 0): boolean {
    const isTree = type === 'tree';
    let covered = 0;
    return this.#blobs.some(id, offset, (row) => {
      const packOf = this.#packOf[row] as number;
      if (packOf >= TREE_BIT !== isTree) return false;
      covered |= this.#masks[packOf & ~TREE_BIT] as number;
      return (covered & needed) === needed;
    });
  }

  /** Every place where the blob stands, newest row last. */
  locate(type: BlobType, id: Uint8Array): BlobLocation[] {
    const found: BlobLocation[] = [];
    this.#blobs.some(id, 0, (row) => {
      const location = this.at(row);
      if (location.type === type) found.push(location);
      return false;
    });
    return found;
  }

  /** Visits the row of every copy of the blob until `visit` returns true; returns whether one did. */
  eachRow(type: BlobType, id: Uint8Array, offset: number, visit: (row: number) => boolean): boolean {
    const isTree = type === 'tree';
    return this.#blobs.some(id, offset, (row) => (this.#packOf[row] as number) >= TREE_BIT === isTree && visit(row));
  }

  /** The first row of the blob, or -1: marks about blobs are kept by it. */
  firstRow(type: BlobType, id: Uint8Array, offset = 0): number {
    let found = -1;
    this.eachRow(type, id, offset, (row) => {
      found = row;
      return true;
    });
    return found;
  }

  /** The pack in which the copy of `row` stands. */
  packOf(row: number): number {
    return ((this.#packOf[row] as number) & ~TREE_BIT) >>> 0;
  }

  isTree(row: number): boolean {
    return (this.#packOf[row] as number) >= TREE_BIT;
  }

  at(row: number): BlobLocation {
    const packOf = this.#packOf[row] as number;
    return {
      type: packOf >= TREE_BIT ? 'tree' : 'data',
      pack: (packOf & ~TREE_BIT) >>> 0,
      offset: this.#rest[row * 3] as number,
      length: this.#rest[row * 3 + 1] as number,
      uncompressedLength: this.#rest[row * 3 + 2] as number,
    };
  }

  /** A view of the blob id of `row`; valid until the index grows. */
  blobId(row: number): Uint8Array {
    return this.#blobs.idBytes(row);
  }

  packId(pack: number): Id {
    return idFromBytes(this.#packs.idBytes(pack));
  }

  /** The 32 bytes of a pack's id. */
  packIdBytes(pack: number): Uint8Array {
    return this.#packs.idBytes(pack).slice();
  }

  packNumber(id: Uint8Array): number {
    return this.#packs.find(id);
  }

  packMask(pack: number): StorageMask {
    return this.#masks[pack] as number;
  }

  /** What a thread needs to answer `has`; the index must not grow while it is in use. */
  freeze(): FrozenBlobIndex {
    return { blobs: this.#blobs.freeze(), packOf: this.#packOfBuffer, masks: this.#masksBuffer };
  }
}

/** The reading half of the index in another thread. */
export class FrozenLookup {
  readonly #blobs: IdTable;
  readonly #packOf: Uint32Array;
  readonly #masks: Uint32Array;

  constructor(frozen: FrozenBlobIndex) {
    this.#blobs = IdTable.fromFrozen(frozen.blobs);
    this.#packOf = wholeView(Uint32Array, frozen.packOf);
    this.#masks = wholeView(Uint32Array, frozen.masks);
  }

  has(isTree: boolean, id: Uint8Array, needed: StorageMask): boolean {
    let covered = 0;
    return this.#blobs.some(id, 0, (row) => {
      const packOf = this.#packOf[row] as number;
      if (packOf >= TREE_BIT !== isTree) return false;
      covered |= this.#masks[packOf & ~TREE_BIT] as number;
      return (covered & needed) === needed;
    });
  }
}
