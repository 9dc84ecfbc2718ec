/** Creates the repository on every storage, or completes what is missing there. */
import type { Clock } from '../base/clock.ts';
import type { Progress } from '../base/progress.ts';
import { type InitResult, initRepositories } from '../repository/init.ts';
import type { Holder } from '../repository/locks.ts';
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
  const result = await initRepositories(stores, password, { clock, holder, signal, probe: { objectLocked } });
  const failed = [...result.storages.values()].some(({ state }) => state === 'failed');
  progress({ type: 'done', step: 'init', outcome: failed ? 'failed' : 'done' });
  return result;
}
