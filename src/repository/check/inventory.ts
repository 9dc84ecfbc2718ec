/** What a storage really holds of the packs that its index names: listing only, nothing is read. */
import type { Id } from '../../base/ids.ts';
import type { CallOptions } from '../../storage/object-store.ts';
import { idOfKey, objectKey } from '../keys.ts';
import type { Replica } from '../replicas.ts';
import type { PackTable } from './pack-table.ts';

export interface Inventory {
  readonly replica: Replica;
  /** Bytes by pack number; -1 for packs that are not there. */
  readonly sizes: Float64Array;
  /** Packs in no index of any storage, with their sizes. */
  readonly unknown: ReadonlyMap<Id, number>;
  /** Bytes of all packs. */
  readonly bytes: number;
}

export async function takeInventory(
  replica: Replica,
  { index }: Pick<PackTable, 'index'>,
  options: CallOptions = {},
): Promise<Inventory> {
  const sizes = new Float64Array(index.packCount).fill(-1);
  const unknown = new Map<Id, number>();
  let bytes = 0;
  for await (const page of replica.store.list('data/', options)) {
    for (const { key, size } of page) {
      const id = idOfKey(key);
      if (id === undefined || key !== objectKey('data', id)) continue;
      const pack = index.packNumber(Buffer.from(id, 'hex'));
      if (pack >= 0) sizes[pack] = size;
      else unknown.set(id, size);
      bytes += size;
    }
  }
  return { replica, sizes, unknown, bytes };
}

/** Numbers of the packs that the storage's index names. */
export function* indexedPacks({ index }: Pick<PackTable, 'index'>, { bit }: Replica): Generator<number> {
  for (let pack = 0; pack < index.packCount; pack++) if ((index.packMask(pack) & bit) !== 0) yield pack;
}
