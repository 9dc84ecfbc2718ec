/**
 * A pack that a check found damaged, missing or short counts as absent from that storage: a backup then stores again what the source still
 * has, instead of resting a new point on it.
 */

import type { IndexedRepository } from './indexed-repository.ts';
import { idOfKey } from './keys.ts';
import { readDamage } from './meta-damage.ts';

/** Returns how many copies of packs are distrusted. To be called before anything relies on the index. */
export async function distrustDamaged({ repository, index }: IndexedRepository): Promise<number> {
  let distrusted = 0;
  for (const { storage, key } of await readDamage(repository)) {
    const id = key.startsWith('data/') ? idOfKey(key) : undefined;
    const replica = repository.replica(storage);
    const pack = id === undefined ? -1 : index.packNumber(Buffer.from(id, 'hex'));
    if (replica === undefined || pack < 0) continue;
    index.withdraw(pack, replica.bit);
    distrusted++;
  }
  return distrusted;
}
