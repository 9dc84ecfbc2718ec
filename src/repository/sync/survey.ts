/** What every storage holds and what is wrong with it: all that `sync` plans from. */
import type { Id } from '../../base/ids.ts';
import type { CallOptions } from '../../storage/object-store.ts';
import { type Inventory, takeInventory } from '../check/inventory.ts';
import { PackTable } from '../check/pack-table.ts';
import type { IndexedRepository } from '../indexed-repository.ts';
import { type FlatKind, idOfKey } from '../keys.ts';
import { readDamage } from '../meta-damage.ts';
import { readRemovedKeys } from '../meta-keys.ts';
import { readPins } from '../meta-pins.ts';
import { RemovalSet, readRemovals } from '../meta-removals.ts';
import { inMask, listAll, type Replica } from '../replicas.ts';
import type { Repository } from '../repository.ts';
import { listSnapshots, type SnapshotList } from '../snapshots.ts';
import { findBadObjects, type InspectOptions } from './inspect.ts';

export type SyncedKind = Exclude<FlatKind, 'locks'>;

/** An object of a flat kind: the storages that list it, and those whose copy is known to be wrong. */
export interface FlatObject {
  readonly id: Id;
  mask: number;
  bad: number;
  /** The copies do not all have the same size. */
  differs: boolean;
}

export interface Survey {
  readonly repository: Repository;
  readonly list: SnapshotList;
  readonly indexed: IndexedRepository;
  readonly table: PackTable;
  /** By storage number. */
  readonly inventories: ReadonlyMap<number, Inventory>;
  readonly flat: Readonly<Record<SyncedKind, ReadonlyMap<Id, FlatObject>>>;
  /** Per pack: the storages that have its file, of the right size and not known to be bad; indexed there or not. */
  readonly present: Uint32Array;
  readonly pins: ReadonlySet<Id>;
  readonly removals: RemovalSet;
  readonly removedKeys: ReadonlySet<Id>;
}

export async function survey(repository: Repository, inspect: InspectOptions, options: CallOptions): Promise<Survey> {
  const flatKeys = await listFlat(repository, 'keys', options);
  const flatSnapshots = await listFlat(repository, 'snapshots', options);
  const list = await listSnapshots(repository);
  const indexed = await repository.loadIndex();
  const flatIndex = await listFlat(repository, 'index', options);
  const table = new PackTable(indexed.index);
  const inventories = await takeInventories(repository, table, options);
  const [pins, removals, removedKeys, damage] = await Promise.all([
    readPins(repository),
    readRemovals(repository),
    readRemovedKeys(repository),
    readDamage(repository),
  ]);
  const found: Survey = {
    ...{ repository, list, indexed, table, inventories, pins, removedKeys },
    flat: { keys: flatKeys, snapshots: flatSnapshots, index: flatIndex },
    present: presentPacks(table, inventories),
    removals: new RemovalSet(removals),
  };
  await findBadObjects(found, damage, inspect);
  return found;
}

async function takeInventories(
  { replicas }: Repository,
  table: PackTable,
  options: CallOptions,
): Promise<ReadonlyMap<number, Inventory>> {
  const taken = await Promise.all(replicas.map((replica) => takeInventory(replica, table, options)));
  return new Map(taken.map((inventory) => [inventory.replica.number, inventory]));
}

function presentPacks(table: PackTable, inventories: ReadonlyMap<number, Inventory>): Uint32Array {
  const present = new Uint32Array(table.index.packCount);
  for (const { replica, sizes } of inventories.values())
    sizes.forEach((size, pack) => {
      if (size === table.size(pack)) present[pack]! |= replica.bit;
    });
  return present;
}

async function listFlat(
  { replicas }: Repository,
  kind: SyncedKind,
  options: CallOptions,
): Promise<ReadonlyMap<Id, FlatObject>> {
  const objects = new Map<Id, FlatObject>();
  const sizes = new Map<Id, number>();
  for (const replica of replicas) {
    for (const { key, size } of await listAll(replica.store, `${kind}/`, options)) {
      const id = idOfKey(key);
      if (id === undefined) continue;
      const object = objects.get(id) ?? { id, mask: 0, bad: 0, differs: size === 0 };
      if ((sizes.get(id) ?? size) !== size) object.differs = true;
      sizes.set(id, size);
      object.mask = (object.mask | replica.bit) >>> 0;
      objects.set(id, object);
    }
  }
  return objects;
}

/** The storages that have a copy of the object which is not known to be bad. */
export function goodCopies({ repository }: Survey, { mask, bad }: Pick<FlatObject, 'mask' | 'bad'>): Replica[] {
  return inMask(repository.replicas, mask & ~bad);
}
