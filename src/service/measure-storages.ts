/**
 * How full storages are: the disks of local ones, and how much of the quota that the configuration tells is filled with what is ours, known
 * from what was listed to be read back. Of two limits the one that leaves less room counts.
 */
import { statfs } from 'node:fs/promises';
import { isFailure } from '../base/failure.ts';
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

/** Bytes. */
interface Room {
  readonly used: number;
  readonly total: number;
}

async function figures(db: CatalogDb, config: Configuration, storage: string): Promise<NewMeasurement[]> {
  const { objects, bytes } = await summarise(db, storage);
  const [room] = [await diskOf(config, storage), await quotaOf(config, storage, objects === 0 ? undefined : bytes)]
    .filter((each) => each !== undefined)
    .sort((a, b) => a.total - a.used - (b.total - b.used));
  if (room !== undefined) {
    return [
      { name: USED, storage, value: room.used },
      { name: CAPACITY, storage, value: room.total },
    ];
  }
  const isLocal = config.checked.values.storages[storage]?.type === 'local';
  return isLocal || objects === 0 ? [] : [{ name: USED, storage, value: bytes }];
}

async function diskOf(config: Configuration, storage: string): Promise<Room | undefined> {
  if (config.checked.values.storages[storage]?.type !== 'local') return undefined;
  const settings = await config.storage(storage);
  const disk = settings.type === 'local' ? await statfs(settings.path).catch(() => undefined) : undefined; // away: nothing to measure
  return disk && { used: (disk.blocks - disk.bavail) * disk.bsize, total: disk.blocks * disk.bsize };
}

async function quotaOf(config: Configuration, storage: string, used: number | undefined): Promise<Room | undefined> {
  const total = await config.capacity(storage).catch((error: unknown) => {
    if (isFailure(error, 'secret_unavailable')) return undefined; // the quota is kept elsewhere, and not told now
    throw error;
  });
  return total === undefined || used === undefined ? undefined : { used, total };
}
