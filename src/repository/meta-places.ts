/**
 * On which file systems the storages in directories lie.
 *
 * A disk or share that is not mounted leaves an empty directory, as a storage that was wiped does. Only the second may be filled again: the
 * first would take a whole copy onto the disk below, where it counts as one more and is none. What tells them apart is the mount point.
 */
import { Failure } from '../base/failure.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { type MetaBook, type MetaEntry, readMeta, updateMeta } from './meta.ts';
import type { Repository } from './repository.ts';

interface Place extends MetaEntry {
  readonly location: string;
  readonly mount: string;
}

/** By the name of the storage. */
const PLACES: MetaBook<Place> = {
  kind: 'places',
  parse: ({ time, location, mount }) =>
    typeof location === 'string' && typeof mount === 'string' ? { time: time as number, location, mount } : undefined,
};

/** Remembers where storages lie. Writes only what is new. */
export async function recordPlaces(repository: Repository, stores: Iterable<ObjectStore>): Promise<void> {
  const found = new Map<string, Omit<Place, 'time'>>();
  for (const store of stores) {
    const mount = await store.mountPoint?.(repository.callOptions);
    if (mount !== undefined) found.set(store.name, { location: store.location, mount });
  }
  const known = await readMeta(repository, PLACES);
  const isNew = ([name, { location, mount }]: [string, Omit<Place, 'time'>]) =>
    known.get(name)?.location !== location || known.get(name)?.mount !== mount;
  if (![...found].some(isNew)) return;
  await updateMeta(repository, PLACES, (places, stamp) => {
    for (const [name, place] of [...found].filter(isNew)) places.set(name, { time: stamp(name), ...place });
  });
}

/**
 * Throws `storage_missing` when the storage lay on a file system that is not mounted now. A place that nobody remembers, another path, or a
 * file system mounted in addition are no reason.
 */
export async function assertMounted(repository: Repository, store: ObjectStore): Promise<void> {
  const now = await store.mountPoint?.(repository.callOptions);
  if (now === undefined) return;
  const before = (await readMeta(repository, PLACES)).get(store.name);
  if (before === undefined || before.location !== store.location || isWithin(now, before.mount)) return;
  throw new Failure(
    'storage_missing',
    `${store.name}: nothing is mounted at ${before.mount}, where ${store.location} lay until now.`,
    {
      hint: `Mount it. If the storage is to lie on this file system from now on: holdfast sync --storage ${store.name} --moved`,
    },
  );
}

function isWithin(mount: string, outer: string): boolean {
  return mount === outer || outer === '/' || mount.startsWith(`${outer}/`);
}
