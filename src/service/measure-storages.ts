/** How full storages are: the disks of local ones. What is only ours in any storage is known from what is read back of it. */
import { statfs } from 'node:fs/promises';
import type { CatalogDb } from '../catalog/catalog.ts';
import { CAPACITY, USED } from '../catalog/forecast.ts';
import { summarise } from '../catalog/ledger.ts';
import { latest, measure, type NewMeasurement } from '../catalog/measurements.ts';
import type { Configuration } from '../config/configuration.ts';

/** ms; a disk does not fill faster than anybody could act. */
const EVERY = 30 * 60_000;

export async function measureStorages(db: CatalogDb, config: Configuration, now: number): Promise<void> {
  const measured = new Map((await latest(db, USED)).map(({ storage, at }) => [storage, at]));
  const due = config.storageNames.filter((name) => now - (measured.get(name) ?? 0) >= EVERY);
  for (const name of due) await measure(db, await figures(db, config, name), now);
}

async function figures(db: CatalogDb, config: Configuration, storage: string): Promise<NewMeasurement[]> {
  if (config.checked.values.storages[storage]?.type !== 'local') {
    const { objects, bytes } = await summarise(db, storage);
    return objects === 0 ? [] : [{ name: USED, storage, value: bytes }];
  }
  const settings = await config.storage(storage);
  const disk = settings.type === 'local' ? await statfs(settings.path).catch(() => undefined) : undefined; // away: nothing to measure
  if (disk === undefined) return [];
  const { blocks, bavail, bsize } = disk;
  return [
    { name: USED, storage, value: (blocks - bavail) * bsize },
    { name: CAPACITY, storage, value: blocks * bsize },
  ];
}
