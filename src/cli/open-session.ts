/** From the configuration to what operations work with: storages opened, secrets fetched, the repository unlocked. */
import { Failure } from '../base/failure.ts';
import { thisProcess } from '../operations/holder.ts';
import type { Session } from '../operations/session.ts';
import { openRepository } from '../repository/repository.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { openStore } from '../storage/open.ts';
import type { Context } from './context.ts';

export interface OpenSession extends Session, AsyncDisposable {}

/** Opens all storages of the configuration, in its order, which is the order of nearness. */
export async function openStores(
  context: Context,
  options: { readonly create?: boolean } = {},
): Promise<ObjectStore[]> {
  const config = await context.config();
  const settings = await Promise.all(config.storageNames.map((name) => config.storage(name)));
  return settings.map((storage) => openStore(storage, { clock: context.clock, create: options.create ?? false }));
}

/**
 * Declare it with `await using`: leaving the block closes the storages. Tells of every storage that cannot be used. `create`: a local
 * storage may make its directory again, for commands that rebuild one that was wiped.
 */
export async function openSession(context: Context, options: { readonly create?: boolean } = {}): Promise<OpenSession> {
  const { clock, signal, progress } = context;
  const config = await context.config();
  const stores = await openStores(context, options);
  const repository = await openRepository(stores, await config.password(), {
    clock,
    signal,
    holder: thisProcess(),
    onProblem: ({ storage, key, failure }) =>
      progress({ type: 'warning', storage, item: key, message: failure.message }),
  });
  for (const { name, failure } of repository.lost) {
    progress({
      type: 'warning',
      storage: name,
      message: failure.message,
      ...(failure.hint ? { hint: failure.hint } : {}),
    });
  }
  if (repository.replicas.length === 0) throw new Failure('storages_failed', 'No storage can be used.');
  return { repository, clock, signal, progress, [Symbol.asyncDispose]: () => repository.close() };
}
