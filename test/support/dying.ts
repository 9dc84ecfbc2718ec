/**
 * A run that dies at a chosen moment, without a process: from a certain change on, nothing it does reaches any storage. Cheap enough to
 * try every moment there is.
 */
import { Failure } from '../../src/base/failure.ts';
import type { ObjectStore, PutOptions } from '../../src/storage/object-store.ts';
import { type MemoryStore, memoryStore } from '../../src/storage/testing/memory-store.ts';

/** A dead run's locks belong to this process, which is none. */
export const DEAD = { pid: 999_999_999 };

export interface DyingStores {
  readonly stores: readonly ObjectStore[];
  /** Whether the run lived to make more changes than it was allowed. */
  readonly died: () => boolean;
}

/** Lets `changes` puts and deletes through, counted over all stores, then is dead. `lastHappens`: the next one still happens, unheard. */
export function dyingStores(stores: readonly ObjectStore[], changes: number, lastHappens: boolean): DyingStores {
  let made = 0;
  const dead = () => new Failure('storage_unreachable', 'The run is dead.');
  const change = async (work: () => Promise<void>): Promise<void> => {
    made++;
    if (made === changes + 1 && lastHappens) await work();
    if (made > changes) throw dead();
    await work();
  };
  const read = async <T>(work: () => Promise<T>): Promise<T> => {
    if (made > changes) throw dead();
    return work();
  };
  const wrapped = stores.map(
    (store): ObjectStore => ({
      name: store.name,
      location: store.location,
      put: (key: string, parts: Uint8Array | readonly Uint8Array[], options?: PutOptions) =>
        change(() => store.put(key, parts, options)),
      get: (key, range, options) => read(() => store.get(key, range, options)),
      stat: (key, options) => read(() => store.stat(key, options)),
      async *list(prefix, options) {
        if (made > changes) throw dead();
        yield* store.list(prefix, options);
      },
      delete: (key, options) => change(() => store.delete(key, options)),
      retain: (key, until, options) => change(() => store.retain(key, until, options)),
      close: () => store.close(),
    }),
  );
  return { stores: wrapped, died: () => made > changes };
}

/** The same storages, to be changed apart. */
export function copies(stores: readonly MemoryStore[]): MemoryStore[] {
  return stores.map((store) => {
    const copy = memoryStore(store.name);
    for (const [key, bytes] of store.objects) copy.objects.set(key, bytes);
    return copy;
  });
}

/**
 * Runs `attempt` with runs that die ever later, until one lives to its end; what was under way then happens unheard, or does not. `step`:
 * only every so many moments, beginning anywhere. Returns how many changes the run makes.
 */
export async function atEveryMoment(
  attempt: (dyingAfter: number, lastHappens: boolean) => Promise<boolean>,
  step = 1,
): Promise<number> {
  let isUnheard = Math.random() < 0.5;
  for (let changes = Math.floor(Math.random() * step); ; changes += step) {
    if (!(await attempt(changes, isUnheard))) return changes;
    isUnheard = !isUnheard;
  }
}
