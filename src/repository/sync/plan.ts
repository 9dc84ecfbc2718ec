/**
 * What has to be done to bring one storage level. A plain value: nothing is written here.
 *
 * A storage has to hold, whole, every point it holds already and every point of the others that was not removed from it on purpose
 * (pinned points come back even then). Packs are copied byte for byte where at least half of them is needed; of the others only the
 * needed blobs, into new packs.
 */
import type { Id } from '../../base/ids.ts';
import { indexedPacks } from '../check/inventory.ts';
import type { Usage } from '../check/usage.ts';
import type { Replica } from '../replicas.ts';
import type { StoredSnapshot } from '../snapshots.ts';
import { goodCopies, type Survey, type SyncedKind } from './survey.ts';

export interface PackCopy {
  readonly pack: number;
  readonly id: Id;
  readonly bytes: number;
}

export interface StoragePlan {
  readonly replica: Replica;
  /** Key files to copy, and those to remove because they were removed elsewhere. */
  readonly keyFiles: readonly Id[];
  readonly staleKeys: readonly Id[];
  /** Packs to copy byte for byte, or to replace. */
  readonly packs: readonly PackCopy[];
  /** Packs that are there, needed, and in no index of this storage; with those of `packs` of which that is true, too. */
  readonly toIndex: ReadonlySet<number>;
  /** Copies (rows of the index) of the blobs to move into new packs. */
  readonly blobs: readonly number[];
  readonly blobBytes: number;
  /** Packs that are bad here and of which no storage has a good copy. */
  readonly hopeless: readonly number[];
  /** Damaged index files to replace. */
  readonly indexFiles: readonly Id[];
  /** Points to copy or replace. */
  readonly points: readonly Id[];
  /** Damaged key files, index files and points of which no storage has a good copy. */
  readonly hopelessFlat: readonly { readonly kind: SyncedKind; readonly id: Id }[];
}

const WORTH_WHOLE = 0.5;

/** The storages that must hold a point whole. */
export function wantedOn(
  { pins, removals }: Pick<Survey, 'pins' | 'removals'>,
  { id, mask }: Pick<StoredSnapshot, 'id' | 'mask'>,
  targets: readonly Replica[],
): number {
  let wanted = 0;
  for (const { bit, name } of targets) {
    const stays = (mask & bit) !== 0 || pins.has(id) || removals.find(id, name) === undefined;
    if (stays) wanted |= bit;
  }
  return wanted >>> 0;
}

export function planStorage(survey: Survey, usage: Usage, targets: readonly Replica[], replica: Replica): StoragePlan {
  const packs = new PackPlanner(survey, usage, replica);
  packs.plan();
  const isWanted = (id: Id) => {
    const mask = survey.flat.snapshots.get(id)?.mask ?? 0;
    return (wantedOn(survey, { id, mask }, targets) & replica.bit) !== 0;
  };
  const keyFiles = planFlat(survey, 'keys', replica, (id) => !survey.removedKeys.has(id));
  const indexFiles = planFlat(survey, 'index', replica, () => false);
  const points = planFlat(survey, 'snapshots', replica, isWanted);
  return {
    replica,
    keyFiles: keyFiles.copy,
    staleKeys: [...survey.removedKeys].filter((id) => ((survey.flat.keys.get(id)?.mask ?? 0) & replica.bit) !== 0),
    ...packs.outcome(),
    indexFiles: indexFiles.copy,
    points: points.copy,
    hopelessFlat: [
      ...keyFiles.hopeless.map((id) => ({ kind: 'keys' as const, id })),
      ...indexFiles.hopeless.map((id) => ({ kind: 'index' as const, id })),
      ...points.hopeless.map((id) => ({ kind: 'snapshots' as const, id })),
    ],
  };
}

/** Objects of the kind that the storage lacks and should have, and those whose copy there is bad. */
function planFlat(survey: Survey, kind: SyncedKind, { bit }: Replica, isWanted: (id: Id) => boolean) {
  const copy: Id[] = [];
  const hopeless: Id[] = [];
  for (const object of survey.flat[kind].values()) {
    const isHere = (object.mask & bit) !== 0;
    const isBad = (object.bad & bit) !== 0;
    if (isHere ? !isBad : !isWanted(object.id)) continue;
    if (goodCopies(survey, object).length > 0) copy.push(object.id);
    else if (isHere) hopeless.push(object.id);
  }
  return { copy, hopeless };
}

class PackPlanner {
  readonly #survey: Survey;
  readonly #usage: Usage;
  readonly #replica: Replica;
  readonly #whole = new Set<number>();
  readonly #hopeless: number[] = [];
  readonly #blobs: number[] = [];

  constructor(survey: Survey, usage: Usage, replica: Replica) {
    this.#survey = survey;
    this.#usage = usage;
    this.#replica = replica;
  }

  plan(): void {
    this.#replaceBadPacks();
    const lacking = this.#lackingRows();
    if (lacking.length > 0) this.#choosePacks(lacking);
  }

  outcome() {
    const { table } = this.#survey;
    const { index } = table;
    const { bit } = this.#replica;
    const whole = [...this.#whole];
    const packs = whole
      .filter((pack) => !this.#isPresent(pack))
      .map((pack) => ({ pack, id: index.packId(pack), bytes: table.size(pack) }));
    const toIndex = new Set(whole.filter((pack) => (index.packMask(pack) & bit) === 0));
    const blobBytes = this.#blobs.reduce((sum, row) => sum + index.at(row).length, 0);
    return { packs, toIndex, blobs: this.#blobs, blobBytes, hopeless: this.#hopeless };
  }

  #isPresent(pack: number): boolean {
    return ((this.#survey.present[pack] as number) & this.#replica.bit) !== 0;
  }

  /** What the storage's index names must be there, needed or not: otherwise the index would lie. */
  #replaceBadPacks(): void {
    for (const pack of indexedPacks(this.#survey.table, this.#replica)) {
      if (this.#isPresent(pack)) continue;
      if (this.#survey.present[pack] !== 0) this.#whole.add(pack);
      else this.#hopeless.push(pack);
    }
  }

  /** First rows of the blobs that are needed here and stand in no good, indexed pack of this storage. */
  #lackingRows(): number[] {
    const { index } = this.#survey.table;
    const { bit } = this.#replica;
    const lacking: number[] = [];
    this.#usage.needed.forEach((needed, row) => {
      if ((needed & bit) === 0) return;
      const isHere = this.#copies(row).some((copy) => {
        const pack = index.packOf(copy);
        return this.#whole.has(pack) || ((index.packMask(pack) & bit) !== 0 && this.#isPresent(pack));
      });
      if (!isHere) lacking.push(row);
    });
    return lacking;
  }

  #copies(firstRow: number): number[] {
    const { index } = this.#survey.table;
    const rows: number[] = [];
    index.eachRow(index.isTree(firstRow) ? 'tree' : 'data', index.blobId(firstRow), 0, (row) => {
      rows.push(row);
      return false;
    });
    return rows;
  }

  #choosePacks(lacking: readonly number[]): void {
    const { table, present } = this.#survey;
    const { index } = table;
    const wanted = new Float64Array(index.packCount);
    const candidates = (row: number) => this.#copies(row).filter((copy) => present[index.packOf(copy)] !== 0);
    for (const row of lacking) for (const copy of candidates(row)) wanted[index.packOf(copy)]! += index.at(copy).length;
    const ratio = (pack: number) => (wanted[pack] as number) / table.size(pack);
    const better = (a: number, b: number) => (ratio(index.packOf(b)) > ratio(index.packOf(a)) ? b : a);
    // A blob without a good pack is tried all the same: a damaged pack may still hold this one whole.
    const chosen = lacking.map((row) => candidates(row).reduce(better, candidates(row)[0] ?? row));
    const share = new Float64Array(index.packCount);
    for (const copy of chosen) share[index.packOf(copy)]! += index.at(copy).length;
    for (const copy of chosen) {
      const pack = index.packOf(copy);
      const isWorth = (share[pack] as number) >= WORTH_WHOLE * table.size(pack) || this.#isPresent(pack);
      if (isWorth && present[pack] !== 0) this.#whole.add(pack);
      else this.#blobs.push(copy);
    }
  }
}
