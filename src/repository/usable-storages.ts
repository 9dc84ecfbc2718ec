/**
 * Locks what can be written to: a storage that is full, refuses or does not answer is left out with its own failure, and stops nobody else.
 * A storage that somebody holds exclusively is another matter: then nothing is begun.
 */
import { asFailure, isFailure } from '../base/failure.ts';
import { askAll } from './ask-all.ts';
import { noneUsable } from './none-usable.ts';
import type { LostReplica, Replica } from './replicas.ts';
import { LockSet, type Repository } from './repository.ts';
import { withReplicas } from './with-replicas.ts';

export interface UsableStorages {
  /** Only the storages that could be locked and listed are in use; the others are lost, each with its reason. */
  readonly repository: Repository;
  /** Release them in the end. */
  readonly locks: LockSet;
}

/** Throws `locked` when any storage is, and `storages_failed` when none can be used. */
export async function lockUsable(repository: Repository): Promise<UsableStorages> {
  const tried = await askAll<Attempt>(repository.replicas, {
    clock: repository.settings.clock,
    signal: repository.settings.signal,
    ask: (replica, patience) => lockOne(repository, replica, patience),
    isGood: (attempt) => 'locks' in attempt,
    silent: ({ name, store }, failure) => ({ name, store, failure }),
  });
  const sets = tried.flatMap((attempt) => ('locks' in attempt ? [attempt.locks] : []));
  const failed = tried.flatMap((attempt) => ('failure' in attempt ? [attempt] : []));
  const release = () => Promise.all(sets.map((set) => set.release()));
  const locked = failed.find(({ failure }) => isFailure(failure, 'locked'));
  if (locked !== undefined || sets.length === 0 || repository.settings.signal?.aborted) {
    await release();
    repository.settings.signal?.throwIfAborted();
    throw locked?.failure ?? noneUsable(failed.map(({ failure }) => failure));
  }
  const lost = [...repository.lost, ...failed];
  const used = repository.replicas.filter(({ name }) => !failed.some((each) => each.name === name));
  return { repository: withReplicas(repository, used, lost), locks: new LockSet(sets.flatMap((set) => set.locks)) };
}

type Attempt = { readonly locks: LockSet } | LostReplica;

async function lockOne(repository: Repository, replica: Replica, patience: AbortSignal): Promise<Attempt> {
  const { name, store } = replica;
  let locks: LockSet | undefined;
  try {
    locks = await repository.announceLock(false, [replica], patience);
    await Promise.all([
      repository.presence('snapshots', [replica], patience),
      repository.presence('index', [replica], patience),
      locks.settled(),
    ]);
    patience.throwIfAborted(); // then nobody would release it
    return { locks };
  } catch (error) {
    await locks?.release();
    return { name, store, failure: asFailure(error, 'storage_unreachable') };
  }
}
