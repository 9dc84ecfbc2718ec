/** Stands for a storage that cannot even be opened, for lack of its secret for example: every call fails with the reason. */
import type { Failure } from '../base/failure.ts';
import type { ObjectInfo, ObjectStore } from './object-store.ts';

export function unavailableStore(name: string, failure: Failure): ObjectStore {
  const refuse = (): Promise<never> => Promise.reject(failure);
  return {
    name,
    location: `storage "${name}"`,
    put: refuse,
    get: refuse,
    stat: refuse,
    list: () => ({ [Symbol.asyncIterator]: (): AsyncIterator<readonly ObjectInfo[]> => ({ next: refuse }) }),
    delete: refuse,
    retain: refuse,
    close: () => Promise.resolve(),
  };
}
