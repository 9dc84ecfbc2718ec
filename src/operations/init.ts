/** Creates the repository on every storage, or completes what is missing there. */
import type { Clock } from '../base/clock.ts';
import { asFailure, isFailure } from '../base/failure.ts';
import type { Progress } from '../base/progress.ts';
import { type InitOutcome, type InitResult, initRepositories } from '../repository/init.ts';
import type { Holder } from '../repository/locks.ts';
import { assertMounted } from '../repository/meta-places.ts';
import { openRepository } from '../repository/repository.ts';
import type { ObjectStore } from '../storage/object-store.ts';

/** There is no session yet: opening one needs what this makes. */
export interface InitInput {
  /** In the order of the configuration; local ones must be allowed to make their directory. */
  readonly stores: readonly ObjectStore[];
  readonly password: string;
  /** Names of the storages that are configured for object lock. */
  readonly objectLocked?: ReadonlySet<string>;
  readonly clock: Clock;
  readonly holder: Holder;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

export async function init(input: InitInput): Promise<InitResult> {
  const { stores, password, objectLocked = new Set<string>(), clock, holder, signal, progress } = input;
  progress({ type: 'step', step: 'init', title: 'Creating the repository' });
  const unmounted = await findUnmounted(input);
  const usable = stores.filter(({ name }) => !unmounted.has(name));
  const made = await initRepositories(usable, password, { clock, holder, signal, probe: { objectLocked } });
  const storages = new Map<string, InitOutcome>(
    stores.map(({ name }) => [name, unmounted.get(name) ?? (made.storages.get(name) as InitOutcome)]),
  );
  const failed = [...storages.values()].some(({ state }) => state === 'failed');
  progress({ type: 'done', step: 'init', outcome: failed ? 'failed' : 'done' });
  return { ...made, storages };
}

/** Empty directories of storages that lay on a file system which is not mounted now, as the other storages remember. */
async function findUnmounted({
  stores,
  password,
  clock,
  holder,
  signal,
}: InitInput): Promise<Map<string, InitOutcome>> {
  const found = new Map<string, InitOutcome>();
  const suspects: ObjectStore[] = [];
  for (const store of stores)
    if (store.mountPoint !== undefined && (await lacksRepository(store, signal))) suspects.push(store);
  const others = stores.filter((store) => !suspects.includes(store));
  if (suspects.length === 0 || others.length === 0) return found;
  const repository = await openRepository(others, password, { clock, holder, signal }).catch(() => undefined);
  signal.throwIfAborted();
  if (repository === undefined) return found; // init itself says why
  for (const store of suspects) {
    await assertMounted(repository, store).catch((error: unknown) => {
      signal.throwIfAborted();
      found.set(store.name, { state: 'failed', failure: asFailure(error) });
    });
  }
  return found;
}

async function lacksRepository(store: ObjectStore, signal: AbortSignal): Promise<boolean> {
  try {
    return (await store.stat('config', { signal })) === undefined;
  } catch (error) {
    signal.throwIfAborted();
    return isFailure(error, 'storage_missing');
  }
}
