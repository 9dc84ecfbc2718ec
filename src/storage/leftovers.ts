/** What writers that died have left in a storage: never visible as objects, but using space. */
import { type Clock, systemClock } from '../base/clock.ts';
import { removeTemporaryFiles } from './local/leftovers.ts';
import type { CallOptions } from './object-store.ts';
import { discardUploads } from './s3/leftovers.ts';
import type { StorageSettings } from './settings.ts';

/** Younger leftovers may belong to a writer that is still at work, in ms. */
export const LEFTOVER_AGE = 24 * 60 * 60 * 1000;

export interface LeftoverOptions extends CallOptions {
  readonly clock?: Clock;
}

/** Removes temporary files and unfinished uploads older than a day; returns how many there were. */
export function removeLeftovers(settings: StorageSettings, options: LeftoverOptions = {}): Promise<number> {
  const { clock = systemClock, signal } = options;
  const before = clock.now() - LEFTOVER_AGE;
  if (settings.type === 's3') return discardUploads({ ...settings, clock }, before, signal);
  return removeTemporaryFiles({ name: settings.name, path: settings.path, before, signal });
}
