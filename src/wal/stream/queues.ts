/** The queues of all storages of a repository, also of those that could not be opened: they may come back while the stream runs. */
import { Failure } from '../../base/failure.ts';
import type { Repository } from '../../repository/repository.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { StorageQueue, type StorageQueueOptions } from './storage-queue.ts';

export function openQueues(
  repository: Repository,
  options: Pick<StorageQueueOptions, 'clock' | 'signal' | 'onChange'>,
): StorageQueue[] {
  const usable = repository.replicas.map(({ store }) => new StorageQueue({ ...options, store }));
  const lost = repository.lost.map(({ store, failure }) => {
    return new StorageQueue({ ...options, store, failure, admit: () => admit(repository, store) });
  });
  return [...usable, ...lost];
}

/** Only what our key sealed is ours. */
async function admit(repository: Repository, store: ObjectStore): Promise<void> {
  const sealed = await store.get('config');
  let id: unknown;
  try {
    id = (JSON.parse(repository.sealer.open(sealed).toString('utf8')) as { id?: unknown } | null)?.id;
  } catch {
    // sealed by another key
  }
  if (id === repository.config.id) return;
  throw new Failure('repository_foreign', `${store.name}: ${store.location} holds another repository.`);
}
