/** Object lock: which objects get it, for how long, in which mode. */
import type { ObjectLockMode } from '@aws-sdk/client-s3';
import type { Clock } from '../../base/clock.ts';
import type { ObjectLockOptions } from './options.ts';

/** Milliseconds. */
export const DAY = 24 * 60 * 60 * 1000;

/** Locks must be removable, or nobody could ever write again; probes are removed at once. */
const NEVER_BY_DEFAULT = ['locks/', 'probe/'];

/** Whether an object of this key may be made undeletable at all. */
export function mayBeLocked(key: string): boolean {
  return !key.startsWith('locks/');
}

/** Until when a new object is kept (ms since the epoch), when the caller does not say. */
export function defaultRetention(lock: ObjectLockOptions | undefined, key: string, clock: Clock): number | undefined {
  if (!lock || NEVER_BY_DEFAULT.some((prefix) => key.startsWith(prefix))) return undefined;
  return clock.now() + lock.days * DAY;
}

export interface LockHeaders {
  ObjectLockMode?: ObjectLockMode;
  ObjectLockRetainUntilDate?: Date;
}

/** The retention to send with a put; empty where there is none. `until` in ms since the epoch; the protocol counts whole seconds. */
export function lockHeaders(lock: ObjectLockOptions | undefined, key: string, until: number | undefined): LockHeaders {
  if (!lock || until === undefined || !mayBeLocked(key)) return {};
  return {
    ObjectLockMode: lock.mode === 'governance' ? 'GOVERNANCE' : 'COMPLIANCE',
    ObjectLockRetainUntilDate: new Date(Math.ceil(until / 1000) * 1000),
  };
}
