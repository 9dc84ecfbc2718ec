/** Removes points from storages; the blobs they needed stay until the next prune. */
import { asFailure, type Failure } from '../../base/failure.ts';
import type { CallOptions } from '../../storage/object-store.ts';
import { objectKey } from '../keys.ts';
import type { Removal } from '../meta-removals.ts';
import type { LockedStorages } from '../sync/lock-each.ts';
import { tryRemove } from './remove-packs.ts';

export interface ForgottenPoints {
  /** What was removed; points that a storage refuses to remove (object lock) do not stand here. */
  readonly removed: readonly Removal[];
  /** By storage name. */
  readonly failures: ReadonlyMap<string, Failure>;
}

/** The storages must be locked exclusively. */
export async function forgetPoints(
  { locks }: Pick<LockedStorages, 'locks'>,
  removals: readonly Removal[],
  options: CallOptions,
): Promise<ForgottenPoints> {
  const removed: Removal[] = [];
  const failures = new Map<string, Failure>();
  for (const lock of locks.locks) {
    const { name } = lock.replica;
    const own = removals.filter(({ storage }) => storage === name);
    if (own.length === 0) continue;
    try {
      await lock.assertHeld();
      for (const removal of own)
        if (await tryRemove({ lock, options }, objectKey('snapshots', removal.point))) removed.push(removal);
    } catch (error) {
      options.signal?.throwIfAborted();
      failures.set(name, asFailure(error, 'storage_unreachable'));
    }
  }
  return { removed, failures };
}
