/** Creates the repository on every storage, or completes what is missing there. */
import type { Clock } from '../base/clock.ts';
import { asFailure, type Failure, isFailure } from '../base/failure.ts';
import type { Progress } from '../base/progress.ts';
import { type InitOutcome, type InitResult, initRepositories } from '../repository/init.ts';
import type { Holder } from '../repository/locks.ts';
import { assertMounted } from '../repository/meta-places.ts';
import { allFailed } from '../repository/none-usable.ts';
import { openRepository } from '../repository/repository.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { assertOwnPlace } from './foreign-place.ts';

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
  const refused = await findUnusable(input);
  const usable = stores.filter(({ name }) => !refused.has(name));
  if (usable.length === 0 && refused.size > 0) throw allFailed([...refused.values()]);
  const made = await initRepositories(usable, password, { clock, holder, signal, probe: { objectLocked } });
  const storages = new Map<string, InitOutcome>(
    stores.map(({ name }) => {
      const failure = refused.get(name);
      return [name, failure === undefined ? (made.storages.get(name) as InitOutcome) : { state: 'failed', failure }];
    }),
  );
  const failed = [...storages.values()].some(({ state }) => state === 'failed');
  progress({ type: 'done', step: 'init', outcome: failed ? 'failed' : 'done' });
  return { ...made, storages };
}

/** Directories without a repository that must not get one: of a disk that is not mounted, or with files of something else. */
async function findUnusable(input: InitInput): Promise<Map<string, Failure>> {
  const { stores, signal } = input;
  const found = new Map<string, Failure>();
  const suspects: ObjectStore[] = [];
  for (const store of stores)
    if (store.mountPoint !== undefined && (await lacksRepository(store, signal))) suspects.push(store);
  await judge(suspects, found, input, (store) => assertOwnPlace(store, stores));
  const rest = suspects.filter(({ name }) => !found.has(name));
  const others = stores.filter((store) => !suspects.includes(store));
  if (rest.length === 0 || others.length === 0) return found;
  const repository = await open(others, input);
  if (repository !== undefined) await judge(rest, found, input, (store) => assertMounted(repository, store));
  return found; // where the others do not open, init itself says why
}

/** The repository that other storages hold: it remembers what was mounted where. */
async function open(others: readonly ObjectStore[], { password, clock, holder, signal }: InitInput) {
  const repository = await openRepository(others, password, { clock, holder, signal }).catch(() => undefined);
  signal.throwIfAborted();
  return repository;
}

async function judge(
  suspects: readonly ObjectStore[],
  found: Map<string, Failure>,
  { signal }: InitInput,
  assert: (store: ObjectStore) => Promise<void>,
): Promise<void> {
  for (const store of suspects) {
    await assert(store).catch((error: unknown) => {
      signal.throwIfAborted();
      found.set(store.name, asFailure(error));
    });
  }
}

async function lacksRepository(store: ObjectStore, signal: AbortSignal): Promise<boolean> {
  try {
    return (await store.stat('config', { signal })) === undefined;
  } catch (error) {
    signal.throwIfAborted();
    return isFailure(error, 'storage_missing');
  }
}
