/** Locking storages one by one: the one that cannot be locked is left out with its own failure, the others are worked on. */
import { asFailure, type Failure, isFailure } from '../../base/failure.ts';
import type { Lock } from '../locks.ts';
import type { LostReplica, Replica } from '../replicas.ts';
import { LockSet, Repository } from '../repository.ts';

export interface LockedStorages {
  /** The repository reduced to the storages that could be locked. */
  readonly repository: Repository;
  readonly locks: LockSet;
  readonly failures: ReadonlyMap<string, Failure>;
}

export interface LockWish {
  readonly exclusive: boolean;
  /** Go on without a lock where the storage takes no writes: for work that only reads. */
  readonly readOnly?: boolean;
}

/** Throws the first storage's failure when none can be locked. Release `locks` in the end. */
export async function lockEach(repository: Repository, wish: LockWish): Promise<LockedStorages> {
  const locks: Lock[] = [];
  const locked: Replica[] = [];
  const failures = new Map<string, Failure>();
  await Promise.all(
    repository.replicas.map(async (replica) => {
      try {
        const set = await repository.lock(wish.exclusive, [replica]);
        locks.push(...set.locks);
        locked.push(replica);
      } catch (error) {
        repository.settings.signal?.throwIfAborted();
        const failure = asFailure(error, 'storage_unreachable');
        if (wish.readOnly && isFailure(failure, 'storage_refused', 'storage_full')) locked.push(replica);
        else failures.set(replica.name, failure);
      }
    }),
  );
  const [first] = failures.values();
  if (locked.length === 0 && first !== undefined) throw first;
  return { repository: withReplicas(repository, locked), locks: new LockSet(locks), failures };
}

/** The same repository with only these storages in use, in the order of the configuration. */
export function withReplicas(
  repository: Repository,
  replicas: readonly Replica[],
  lost: readonly LostReplica[] = repository.lost,
): Repository {
  const { config, masterKey, keyId, settings } = repository;
  const ordered = [...replicas].sort((a, b) => a.number - b.number);
  return new Repository({ config, masterKey, keyId, replicas: ordered, lost, settings });
}
