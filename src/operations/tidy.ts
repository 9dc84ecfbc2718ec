/** Removes what writers that died have left in the storages: temporary files and unfinished uploads, older than a day. */
import type { Clock } from '../base/clock.ts';
import { asFailure, type Failure } from '../base/failure.ts';
import type { Configuration } from '../config/configuration.ts';
import { removeLeftovers } from '../storage/leftovers.ts';

/** How many there were, by storage, or why they could not be removed. */
export type Tidied = ReadonlyMap<string, number | Failure>;

export async function tidyStorages(config: Configuration, clock: Clock, signal: AbortSignal): Promise<Tidied> {
  const tidied = new Map<string, number | Failure>();
  for (const name of config.storageNames) {
    try {
      tidied.set(name, await removeLeftovers(await config.storage(name), { clock, signal }));
    } catch (error) {
      signal.throwIfAborted();
      tidied.set(name, asFailure(error, 'storage_unreachable'));
    }
  }
  return tidied;
}
