/** Takes storages in again that were wiped or lost their config: they get the keys, then the config, and are then filled like any other. */
import { asFailure, Failure } from '../../base/failure.ts';
import { collectKeyFiles, keyIds, putConfig, putKeyFiles } from '../key-copies.ts';
import { openConfig } from '../key-ring.ts';
import { CONFIG_KEY } from '../keys.ts';
import { readRemovedKeys } from '../meta-keys.ts';
import { assertMounted } from '../meta-places.ts';
import { type LostReplica, readFromAny } from '../replicas.ts';
import type { Repository } from '../repository.ts';
import { asReplica, withFound } from '../with-replicas.ts';
import { examineLost } from './lost.ts';

export interface Adoption {
  /** With the storages that were taken in among those in use. */
  readonly repository: Repository;
  /** Names of the storages that were taken in. */
  readonly adopted: readonly string[];
  /** Chosen storages that cannot be worked on. */
  readonly failures: ReadonlyMap<string, Failure>;
}

/** `moved`: also where a file system is not mounted that a storage lay on. */
export async function adoptLost(
  opened: Repository,
  isChosen: (name: string) => boolean,
  moved: boolean,
): Promise<Adoption> {
  let repository = opened;
  const adopted: string[] = [];
  const failures = new Map<string, Failure>();
  for (const lost of opened.lost.filter(({ name }) => isChosen(name))) {
    try {
      const state = await examineLost(repository, lost);
      if (state === 'unreachable' || state === 'foreign') throw lost.failure;
      if (state === 'wiped' && !moved) await assertMounted(repository, lost.store);
      repository = await adopt(repository, lost);
      adopted.push(lost.name);
    } catch (error) {
      opened.settings.signal?.throwIfAborted();
      failures.set(lost.name, asFailure(error, 'storage_unreachable'));
    }
  }
  return { repository, adopted, failures };
}

async function adopt(repository: Repository, lost: LostReplica): Promise<Repository> {
  const options = repository.callOptions;
  const replica = asReplica(repository, lost);
  const removed = await readRemovedKeys(repository);
  const files = await collectKeyFiles(repository.replicas, options);
  const wanted = new Map([...files].filter(([id]) => !removed.has(id)));
  await putKeyFiles(replica, wanted, options);
  for (const id of await keyIds(replica, options))
    if (!wanted.has(id)) await replica.store.delete(`keys/${id}`, options);
  await putConfig(replica, await goodConfig(repository), options);
  return withFound(repository, lost);
}

async function goodConfig(repository: Repository): Promise<Uint8Array> {
  return readFromAny(repository.replicas, CONFIG_KEY, undefined, (bytes) => {
    if (openConfig(repository.masterKey, bytes)?.id === repository.config.id) return bytes;
    throw new Failure('data_damaged', 'The config is damaged.');
  });
}
