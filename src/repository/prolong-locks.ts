/**
 * Object lock runs out, but a pack may be needed for longer than the day it was stored on foretold: what a storage still holds after a
 * prune is what its points need, and is locked anew once half of the time is over.
 */
import { asFailure, type Failure } from '../base/failure.ts';
import type { Replica } from './replicas.ts';
import type { Repository } from './repository.ts';

/** What a point needs, and the moments after it. `locks/` is never locked, `meta/` can be lost. */
const PREFIXES = ['config', 'keys/', 'snapshots/', 'index/', 'data/', 'wal/'] as const;
const PARALLEL = 8;

export interface Prolonged {
  readonly objects: number;
  /** Why not all of them could be prolonged. */
  readonly failure?: Failure;
}

/**
 * Prolongs the lock of everything that `replica` holds, but for the keys that are to go; nothing happens where the storage has no object lock.
 */
export async function prolongLocks(
  { settings }: Repository,
  { store }: Replica,
  going: ReadonlySet<string> = new Set(),
): Promise<Prolonged> {
  const { lockMs } = store;
  if (lockMs === undefined) return { objects: 0 };
  const options = { signal: settings.signal };
  const now = settings.clock.now();
  let objects = 0;
  const prolong = async (key: string): Promise<void> => {
    if (going.has(key)) return;
    const info = await store.stat(key, options);
    if (info === undefined || (info.retainedUntil ?? 0) > now + lockMs / 2) return;
    await store.retain(key, now + lockMs, options);
    objects++;
  };
  try {
    for (const prefix of PREFIXES) {
      for await (const page of store.list(prefix, options)) {
        for (let at = 0; at < page.length; at += PARALLEL) {
          await Promise.all(page.slice(at, at + PARALLEL).map(({ key }) => prolong(key)));
        }
      }
    }
    return { objects };
  } catch (error) {
    settings.signal?.throwIfAborted();
    return { objects, failure: asFailure(error, 'storage_unreachable') };
  }
}
