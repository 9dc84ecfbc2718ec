/** From the configuration to what operations work with: storages opened, secrets fetched, the repository unlocked. */
import type { Clock } from '../base/clock.ts';
import { isFailure } from '../base/failure.ts';
import { given } from '../base/given.ts';
import type { Progress } from '../base/progress.ts';
import type { Supervision } from '../base/supervision.ts';
import type { Configuration } from '../config/configuration.ts';
import { noneUsable } from '../repository/none-usable.ts';
import { openRepository, type Repository } from '../repository/repository.ts';
import { prepareThread, type ThreadModule } from '../repository/workers-api.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { openStore } from '../storage/open.ts';
import { unavailableStore } from '../storage/unavailable.ts';
import { thisProcess } from './holder.ts';
import type { Session } from './session.ts';

export interface SessionWorld {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly supervision?: Supervision;
}

export interface OpenSession extends Session, AsyncDisposable {}

/**
 * Opens all storages of the configuration, in its order, which is the order of nearness. `create` makes missing local directories. A storage
 * whose secret cannot be had fails by itself, when it is used: the others can do without it.
 */
export function openStores(config: Configuration, clock: Clock, create = false): Promise<ObjectStore[]> {
  return Promise.all(
    config.storageNames.map(async (name) => {
      try {
        return openStore(await config.storage(name), { clock, create });
      } catch (error) {
        if (isFailure(error, 'secret_unavailable')) return unavailableStore(name, error);
        throw error;
      }
    }),
  );
}

/** How a session will be used. */
export interface SessionUse {
  /** A local storage may make its directory again, to be rebuilt after it was wiped. */
  readonly create?: boolean;
  /** A thread of this kind will be needed: it gets ready while the key is derived. */
  readonly thread?: ThreadModule;
}

/** Declare it with `await using`: leaving the block closes the storages. Tells of every storage that cannot be used. */
export async function openSession(
  config: Configuration,
  world: SessionWorld,
  { create = false, thread }: SessionUse = {},
): Promise<OpenSession> {
  if (thread !== undefined) prepareThread(thread);
  const { clock, signal, progress, supervision } = world;
  const stores = await openStores(config, clock, create);
  const repository = await unlock(stores, config, world).catch(async (error: unknown) => {
    await Promise.all(stores.map((store) => store.close()));
    throw error;
  });
  const used = repository.replicas.map(({ name }) => name).join(', ');
  for (const { name, failure } of repository.lost) {
    const { message, hint } = failure;
    const meanwhile = used === '' ? '' : ` Until it is back, this works with: ${used}.`;
    progress({ type: 'warning', storage: name, message: `${message}${meanwhile}`, ...given('hint', hint) });
  }
  if (repository.replicas.length === 0) throw noneUsable([]); // each was told above
  return {
    repository,
    clock,
    signal,
    progress,
    ...given('supervision', supervision),
    [Symbol.asyncDispose]: () => repository.close(),
  };
}

async function unlock(
  stores: readonly ObjectStore[],
  config: Configuration,
  { clock, signal, progress }: SessionWorld,
): Promise<Repository> {
  return openRepository(stores, await config.password(), {
    clock,
    signal,
    holder: thisProcess(),
    onProblem: ({ storage, key, failure }) =>
      progress({ type: 'warning', storage, item: key, message: failure.message }),
  });
}
