/**
 * What a prune does to the packs of one storage: a plain value, nothing is written here.
 *
 * A pack goes when nothing in it is needed. A pack that is needed in part is repacked when more than the tolerated share of the storage
 * would otherwise stay unused, worst packs first; so are packs that mix trees with data, packs with raw trees (restic's prune would do it)
 * and small packs once there are many. Of a blob that stands in several packs, the copy in the pack with the most use stays.
 */
import type { Id } from '../../base/ids.ts';
import { type Inventory, indexedPacks } from '../check/inventory.ts';
import type { PackTable } from '../check/pack-table.ts';
import type { Usage } from '../check/usage.ts';

/** Share of the storage that may stay unused; below it repacking costs more than it frees. */
const TOLERATED_UNUSED = 0.05;
/** Packs below this share of the pack size are small; this many of one type are merged. */
const SMALL = 0.25;
const MANY_SMALL = 10;

export interface PlanInput {
  readonly table: PackTable;
  readonly usage: Pick<Usage, 'needed'>;
  readonly inventory: Inventory;
  /** Packs whose copy on this storage is known to be damaged: nothing is kept in them that stands elsewhere. */
  readonly distrusted: ReadonlySet<number>;
  /** Only take away distrusted packs that are not needed any more. */
  readonly onlyDistrusted?: boolean;
  /** Bytes after which a pack is closed. */
  readonly packSize: number;
}

export interface PackPlan {
  readonly keep: number;
  readonly remove: readonly number[];
  readonly repack: readonly number[];
  /** The copies of blobs to take along when packs are repacked. */
  readonly rows: readonly number[];
  /** Packs that this storage's index does not name. */
  readonly unindexed: readonly Id[];
  /** Bytes of packs that go, those that are repacked included. */
  readonly removedBytes: number;
  /** Bytes written anew. */
  readonly repackedBytes: number;
  /** Unused bytes that are tolerated. */
  readonly unusedBytes: number;
}

/** `lacking`: needed blobs of which the storage has no copy at all. Then nothing may be removed. */
export type PlanOutcome = PackPlan | { readonly lacking: number };

export function planPacks(input: PlanInput): PlanOutcome {
  return new PackUse(input).plan();
}

class PackUse {
  readonly #input: PlanInput;
  readonly #bit: number;
  readonly #used: Float64Array;
  /** Rows of the copies that stay: 1. */
  readonly #kept: Uint8Array;

  constructor(input: PlanInput) {
    this.#input = input;
    this.#bit = input.inventory.replica.bit;
    this.#used = new Float64Array(input.table.index.packCount);
    this.#kept = new Uint8Array(input.table.index.blobCount);
  }

  plan(): PlanOutcome {
    const lacking = this.#chooseCopies();
    if (lacking > 0) return { lacking };
    const { onlyDistrusted, distrusted, table } = this.#input;
    const indexed = [...indexedPacks(table, this.#input.inventory.replica)];
    const unneeded = indexed.filter((pack) => this.#used[pack] === 0);
    const remove = onlyDistrusted ? unneeded.filter((pack) => distrusted.has(pack)) : unneeded;
    const needed = indexed.filter((pack) => this.#used[pack] !== 0);
    const repack = onlyDistrusted ? [] : this.#chooseRepack(needed);
    return this.#summarise(indexed.length, remove, repack, needed);
  }

  /** Decides which copy of each needed blob stays; returns how many have none. */
  #chooseCopies(): number {
    const { index } = this.#input.table;
    const several: number[][] = [];
    let lacking = 0;
    this.#input.usage.needed.forEach((needed, row) => {
      if ((needed & this.#bit) === 0) return;
      const copies = this.#copies(row);
      const [only] = copies;
      if (only === undefined) lacking++;
      else if (copies.length === 1) this.#keep(only);
      else several.push(copies);
    });
    for (const copies of several) {
      const score = (row: number) =>
        (this.#used[index.packOf(row)] as number) / this.#input.table.size(index.packOf(row));
      this.#keep(copies.reduce((best, row) => (score(row) > score(best) ? row : best)));
    }
    return lacking;
  }

  #keep(row: number): void {
    const { index } = this.#input.table;
    this.#kept[row] = 1;
    this.#used[index.packOf(row)]! += index.at(row).length;
  }

  /** Rows of the copies this storage has, those in distrusted packs only where there is no other. */
  #copies(firstRow: number): number[] {
    const { table, inventory, distrusted } = this.#input;
    const { index } = table;
    const rows: number[] = [];
    index.eachRow(index.isTree(firstRow) ? 'tree' : 'data', index.blobId(firstRow), 0, (row) => {
      const pack = index.packOf(row);
      const isHere = (index.packMask(pack) & this.#bit) !== 0 && inventory.sizes[pack] === table.size(pack);
      if (isHere) rows.push(row);
      return false;
    });
    const trusted = rows.filter((row) => !distrusted.has(index.packOf(row)));
    return trusted.length > 0 ? trusted : rows;
  }

  #chooseRepack(needed: readonly number[]): number[] {
    const must = needed.filter((pack) => this.#isOdd(pack));
    const chosen = new Set([...must, ...this.#smallPacks(needed)]);
    const usedTotal = needed.reduce((sum, pack) => sum + (this.#used[pack] as number), 0);
    let unused = needed.reduce((sum, pack) => sum + (chosen.has(pack) ? 0 : this.#unused(pack)), 0);
    const limit = (usedTotal * TOLERATED_UNUSED) / (1 - TOLERATED_UNUSED);
    const worstFirst = needed
      .filter((pack) => !chosen.has(pack) && this.#unused(pack) > 0)
      .sort((a, b) => this.#unused(b) / (this.#used[b] as number) - this.#unused(a) / (this.#used[a] as number));
    for (const pack of worstFirst) {
      if (unused <= limit) break;
      chosen.add(pack);
      unused -= this.#unused(pack);
    }
    return [...chosen];
  }

  #unused(pack: number): number {
    const { table } = this.#input;
    let blobs = 0;
    for (const row of table.rows(pack)) blobs += table.index.at(row).length;
    return blobs - (this.#used[pack] as number);
  }

  /** Trees and data in one pack, or raw trees. */
  #isOdd(pack: number): boolean {
    const { index } = this.#input.table;
    const rows = this.#input.table.rows(pack);
    const trees = rows.reduce((count, row) => count + (index.isTree(row) ? 1 : 0), 0);
    if (trees === 0) return false;
    return trees < rows.length || rows.some((row) => index.at(row).uncompressedLength === 0);
  }

  #smallPacks(needed: readonly number[]): number[] {
    const { table, packSize } = this.#input;
    const small = needed.filter((pack) => table.size(pack) < packSize * SMALL);
    const ofTrees = small.filter((pack) => table.index.isTree(table.rows(pack)[0] as number));
    const ofData = small.filter((pack) => !table.index.isTree(table.rows(pack)[0] as number));
    return [ofTrees, ofData].flatMap((packs) => (packs.length >= MANY_SMALL ? packs : []));
  }

  #summarise(total: number, remove: readonly number[], repack: readonly number[], needed: readonly number[]): PackPlan {
    const { table, inventory, onlyDistrusted } = this.#input;
    const sizes = (packs: readonly number[]) =>
      packs.reduce((sum, pack) => sum + Math.max(0, inventory.sizes[pack]!), 0);
    const rows = repack.flatMap((pack) => [...table.rows(pack)].filter((row) => this.#kept[row] === 1));
    const gone = new Set(repack);
    return {
      keep: total - remove.length - repack.length,
      ...{ remove, repack, rows },
      unindexed: onlyDistrusted ? [] : this.#unindexed(),
      removedBytes: sizes(remove) + sizes(repack),
      repackedBytes: repack.reduce((sum, pack) => sum + (this.#used[pack] as number), 0),
      unusedBytes: needed.reduce((sum, pack) => sum + (gone.has(pack) ? 0 : this.#unused(pack)), 0),
    };
  }

  #unindexed(): Id[] {
    const { table, inventory } = this.#input;
    const found = [...inventory.unknown.keys()];
    inventory.sizes.forEach((size, pack) => {
      if (size >= 0 && (table.index.packMask(pack) & this.#bit) === 0) found.push(table.index.packId(pack));
    });
    return found;
  }
}
