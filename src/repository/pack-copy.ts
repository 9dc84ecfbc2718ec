/** Brings packs that a slow storage could not take in time from one that has them. */
import { atOnce } from '../base/at-once.ts';
import type { Id } from '../base/ids.ts';
import { objectKey } from './keys.ts';
import { type Replica, readNamed } from './replicas.ts';
import type { UploadQueue } from './upload-queue.ts';

/** Packs copied at once to one storage: each is held in memory. */
const PARALLEL = 2;

/** Throws the storage's failure, or `data_missing` when no other storage has a pack. */
export async function copyDeferred(queue: UploadQueue, all: readonly UploadQueue[]): Promise<void> {
  await atOnce(PARALLEL, [...queue.deferred], (pack) => copyPack(queue, all, pack));
}

async function copyPack(queue: UploadQueue, all: readonly UploadQueue[], pack: Id): Promise<void> {
  const { signal } = queue;
  const key = objectKey('data', pack);
  const bytes = await readNamed(await holders(all, pack), key, { signal });
  await queue.replica.store.put(key, bytes, { signal });
  queue.received(pack);
}

/** The storages that have the pack, in order of nearness; waits until one has it or none will. */
async function holders(all: readonly UploadQueue[], pack: Id): Promise<Replica[]> {
  const asked = all.map(async (queue) => ((await queue.holds(pack)) ? undefined : Promise.reject(queue)));
  await Promise.any(asked).catch(() => {});
  return all.filter((queue) => queue.hasStored(pack)).map(({ replica }) => replica);
}
