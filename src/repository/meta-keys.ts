/** Key files that were removed on purpose: a storage that was away may still have them, and `sync` must not bring them back. */
import { type Id, isId } from '../base/ids.ts';
import { type MetaBook, type MetaEntry, readMeta, updateMeta } from './meta.ts';
import type { Repository } from './repository.ts';

const REMOVED_KEYS: MetaBook<MetaEntry> = { kind: 'removed-keys', parse: ({ time }) => ({ time: time as number }) };

export async function readRemovedKeys(repository: Repository): Promise<ReadonlySet<Id>> {
  return new Set([...(await readMeta(repository, REMOVED_KEYS)).keys()].filter((key): key is Id => isId(key)));
}

export async function recordRemovedKey(repository: Repository, key: Id): Promise<void> {
  await updateMeta(repository, REMOVED_KEYS, (entries, stamp) => {
    entries.set(key, { time: stamp(key) });
  });
}
