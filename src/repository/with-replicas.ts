/** A repository with other storages in use than it was opened with. */
import { type LostReplica, MAX_STORAGES, type Replica } from './replicas.ts';
import { Repository } from './repository.ts';

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

/** The same repository with a storage in use that could not be used before. */
export function withFound(repository: Repository, found: LostReplica): Repository {
  const rest = repository.lost.filter((other) => other !== found);
  return withReplicas(repository, [...repository.replicas, asReplica(repository, found)], rest);
}

/** The storage with a number that no other one has. */
export function asReplica({ replicas }: Repository, { name, store }: LostReplica): Replica {
  const taken = new Set(replicas.map(({ number }) => number));
  const number = Array.from({ length: MAX_STORAGES }, (_, i) => i).find((i) => !taken.has(i)) ?? MAX_STORAGES;
  return { number, bit: (1 << number) >>> 0, name, store };
}
