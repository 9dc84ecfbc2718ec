/** Locking storages one by one: the one that cannot be locked is left out with its own failure, the others are worked on. */
import { asFailure, type Failure, isFailure } from '../../base/failure.ts';
import { askAll } from '../ask-all.ts';
import type { Lock } from '../locks.ts';
import type { Replica } from '../replicas.ts';
import { LockSet, type Repository } from '../repository.ts';
import { withReplicas } from '../with-replicas.ts';

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

/**
 * Throws the first storage's failure when none can be locked. A storage that is silent when another has long answered has failed. Release
 * `locks` in the end.
 */
export async function lockEach(repository: Repository, wish: LockWish): Promise<LockedStorages> {
  const { clock, signal } = repository.settings;
  const attempts = await askAll<Attempt>(repository.replicas, {
    clock,
    signal,
    ask: (replica, patience) => lockOne(repository, replica, wish, patience),
    isGood: ({ failure }) => failure === undefined,
    silent: (replica, failure) => ({ replica, failure }),
  });
  const locks = new LockSet(attempts.flatMap((attempt) => attempt.locks ?? []));
  const failures = new Map(attempts.flatMap(({ replica, failure }) => (failure ? [[replica.name, failure]] : [])));
  const locked = attempts.filter(({ failure }) => failure === undefined).map(({ replica }) => replica);
  const [first] = failures.values();
  if (!signal?.aborted && (locked.length > 0 || first === undefined))
    return { repository: withReplicas(repository, locked), locks, failures };
  await locks.release();
  signal?.throwIfAborted();
  throw first;
}

interface Attempt {
  readonly replica: Replica;
  readonly locks?: readonly Lock[];
  readonly failure?: Failure;
}

async function lockOne(
  repository: Repository,
  replica: Replica,
  wish: LockWish,
  patience: AbortSignal,
): Promise<Attempt> {
  let set: LockSet | undefined;
  try {
    set = await repository.announceLock(wish.exclusive, [replica], patience);
    await set.settled();
    patience.throwIfAborted(); // then nobody would release it
    return { replica, locks: set.locks };
  } catch (error) {
    await set?.release();
    const failure = asFailure(error, 'storage_unreachable');
    const isReadable = isFailure(failure, 'storage_refused', 'storage_full');
    return wish.readOnly && isReadable ? { replica } : { replica, failure };
  }
}
