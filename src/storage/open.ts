/** Opens a storage as the configuration describes it: the driver, and around it deadline, meter, limit and retry. */
import { type Clock, systemClock } from '../base/clock.ts';
import { withDeadline } from './deadline.ts';
import { withLimit } from './limit.ts';
import { openLocalStore } from './local/local-store.ts';
import { type MeteredStore, withMeter } from './meter.ts';
import type { ObjectStore } from './object-store.ts';
import { type RetryOptions, withRetry } from './retry.ts';
import { openS3Store } from './s3/s3-store.ts';
import type { StorageSettings } from './settings.ts';

export type { StorageSettings } from './settings.ts';

export interface OpenStoreOptions {
  readonly clock?: Clock;
  /** Make the directory of a local storage when the first object is stored: for `init` only. Default false. */
  readonly create?: boolean;
  readonly retry?: Pick<RetryOptions, 'attempts' | 'random' | 'onRetry' | 'firstPause' | 'longestPause'>;
}

/** Opens a storage; nothing is asked of it before the first call. The meter counts real requests, tries included. */
export function openStore(settings: StorageSettings, options: OpenStoreOptions = {}): MeteredStore {
  const { clock = systemClock, create = false, retry = {} } = options;
  const metered = withMeter(openDriver(settings, clock, create), clock);
  const limited = withLimit(metered, { ...limitsOf(settings), clock });
  return { ...withRetry(limited, { ...retry, clock }), meter: () => metered.meter() };
}

function openDriver(settings: StorageSettings, clock: Clock, create: boolean): ObjectStore {
  if (settings.type === 's3') return openS3Store({ ...settings, clock });
  return withDeadline(openLocalStore({ name: settings.name, path: settings.path, create }), { clock });
}

function limitsOf({ connections, uploadLimit, downloadLimit }: StorageSettings) {
  return {
    ...(connections === undefined ? {} : { connections }),
    ...(uploadLimit === undefined ? {} : { uploadLimit }),
    ...(downloadLimit === undefined ? {} : { downloadLimit }),
  };
}
