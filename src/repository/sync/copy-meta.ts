/** Gives a storage the books (`meta/`) that others have and it lacks. Reading merges them, so more of them than needed does no harm. */
import { asFailure } from '../../base/failure.ts';
import type { CallOptions } from '../../storage/object-store.ts';
import { idOfKey } from '../keys.ts';
import { listAll, type Replica, readNamed } from '../replicas.ts';

/** Nothing depends on these objects: what cannot be copied is left out. */
export async function copyMeta(replicas: readonly Replica[], target: Replica, options: CallOptions): Promise<void> {
  const present = new Set((await listAll(target.store, 'meta/', options)).map(({ key }) => key));
  for (const source of replicas) {
    if (source === target) continue;
    for (const { key } of await listAll(source.store, 'meta/', options)) {
      if (present.has(key) || idOfKey(key) === undefined) continue;
      present.add(key);
      await copyOne(source, target, key, options);
    }
  }
}

async function copyOne(source: Replica, target: Replica, key: string, options: CallOptions): Promise<void> {
  try {
    await target.store.put(key, await readNamed([source], key, options), options);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (asFailure(error).code !== 'data_damaged' && asFailure(error).code !== 'data_missing') throw error;
  }
}
