/**
 * What became of a storage that did not open: unreachable, somebody else's, wiped, or ours with its config or keys gone or damaged.
 * Only the last two may be written to.
 */
import { isFailure } from '../../base/failure.ts';
import type { CallOptions } from '../../storage/object-store.ts';
import { keyIds, listIfThere } from '../key-copies.ts';
import { idOfKey } from '../keys.ts';
import type { LostReplica, Replica } from '../replicas.ts';
import type { Repository } from '../repository.ts';
import { asReplica } from '../with-replicas.ts';

/** `wiped`: nothing of a repository is there; `headless`: ours, without a good config. */
export type LostState = 'unreachable' | 'foreign' | 'wiped' | 'headless';

export async function examineLost(repository: Repository, lost: LostReplica): Promise<LostState> {
  const options = repository.callOptions;
  if (!isFailure(lost.failure, 'repository_missing', 'repository_foreign', 'storage_missing')) return 'unreachable';
  const replica = asReplica(repository, lost);
  try {
    const keys = await keyIds(replica, options);
    if (keys.some((id) => id === repository.keyId) || (await opensWithOurKey(repository, replica, options)))
      return 'headless';
    if (isFailure(lost.failure, 'repository_foreign'))
      return (await sharesKeyFile(repository, keys)) ? 'headless' : 'foreign';
    return (await isEmpty(replica, options)) ? 'wiped' : 'foreign';
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!isFailure(error)) throw error;
    return 'unreachable';
  }
}

async function sharesKeyFile({ replicas }: Repository, keys: readonly string[]): Promise<boolean> {
  for (const replica of replicas) {
    const ours = await keyIds(replica);
    if (ours.some((id) => keys.includes(id))) return true;
  }
  return false;
}

/** One of its snapshots or indexes opens with our master key: then it is ours whatever its config says. */
async function opensWithOurKey(repository: Repository, replica: Replica, options: CallOptions): Promise<boolean> {
  for (const kind of ['snapshots', 'index'] as const) {
    for (const { key } of (await listIfThere(replica, `${kind}/`, options)).slice(0, 3)) {
      const id = idOfKey(key);
      if (id === undefined) continue;
      const bytes = await replica.store.get(key, undefined, options);
      try {
        repository.openNamed(bytes, id);
        return true;
      } catch {
        // another key sealed it, or it is damaged: the next one may tell
      }
    }
  }
  return false;
}

async function isEmpty(replica: Replica, options: CallOptions): Promise<boolean> {
  for (const prefix of ['keys/', 'snapshots/', 'index/'])
    if ((await listIfThere(replica, prefix, options)).length > 0) return false;
  return true;
}
