/**
 * The storages of one repository, numbered. Bit `1 << number` stands for a storage in every mask.
 *
 * A storage that cannot be used is kept with its own failure: it is reported by name, it fails nobody else, and it is never skipped in silence.
 */
import { hash } from 'node:crypto';
import { Failure, isFailure } from '../base/failure.ts';
import type { ByteRange, CallOptions, ObjectInfo, ObjectStore } from '../storage/object-store.ts';
import type { StorageMask } from './index/blob-index.ts';
import { idOfKey } from './keys.ts';

export interface Replica {
  readonly number: number;
  readonly bit: StorageMask;
  readonly name: string;
  readonly store: ObjectStore;
}

export interface LostReplica {
  readonly name: string;
  readonly store: ObjectStore;
  readonly failure: Failure;
}

/** A problem that a read met and went round. */
export interface ReadProblem {
  readonly storage: string;
  readonly key: string;
  readonly failure: Failure;
}

export const MAX_STORAGES = 31;

export function toReplicas(stores: readonly ObjectStore[]): Replica[] {
  if (stores.length > MAX_STORAGES)
    throw new Failure('config_invalid', `At most ${MAX_STORAGES} storages are supported.`);
  return stores.map((store, number) => ({ number, bit: (1 << number) >>> 0, name: store.name, store }));
}

export function maskOf(replicas: readonly Replica[]): StorageMask {
  return replicas.reduce((mask, replica) => (mask | replica.bit) >>> 0, 0);
}

/** The replicas of `mask`, in order of nearness (that of the configuration). */
export function inMask(replicas: readonly Replica[], mask: StorageMask): Replica[] {
  return replicas.filter((replica) => (mask & replica.bit) !== 0);
}

/**
 * Reads an object, or a range of it, from the first replica that gives what `accept` takes; `accept` throws on bytes that are wrong.
 * Throws `data_missing` or `data_damaged` with each storage's own words when none does.
 */
export async function readFromAny<T>(
  candidates: readonly Replica[],
  key: string,
  range: ByteRange | undefined,
  accept: (bytes: Uint8Array, replica: Replica) => T | Promise<T>,
  report: (problem: ReadProblem) => void = () => {},
  options: CallOptions = {},
): Promise<T> {
  const failures: ReadProblem[] = [];
  for (const replica of candidates) {
    try {
      return await accept(await replica.store.get(key, range, options), replica);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!isFailure(error)) throw error;
      const problem = { storage: replica.name, key, failure: error };
      failures.push(problem);
      report(problem);
    }
  }
  throw noneHas(key, failures);
}

/** An object that is named by the SHA-256 of its bytes, from the first replica whose copy hashes to it. Throws as `readFromAny`. */
export function readNamed(candidates: readonly Replica[], key: string, options: CallOptions = {}): Promise<Uint8Array> {
  const accept = (bytes: Uint8Array): Uint8Array => {
    if (hash('sha256', bytes, 'hex') === idOfKey(key)) return bytes;
    throw new Failure('data_damaged', `${key} does not hash to its name.`);
  };
  return readFromAny(candidates, key, undefined, accept, undefined, options);
}

function noneHas(key: string, failures: readonly ReadProblem[]): Failure {
  const words = failures.map(({ storage, failure }) => `${storage}: ${failure.message}`).join('; ');
  const allMissing = failures.every(({ failure }) => failure.code === 'object_missing');
  const unreachable = failures.find(({ failure }) => failure.retryable);
  const code = unreachable ? unreachable.failure.code : allMissing ? 'data_missing' : 'data_damaged';
  return new Failure(code, `No storage gives a good copy of ${key} (${words || 'no storage holds it'}).`, {
    hint: 'Run "holdfast check --read-data" to see what is damaged and "holdfast sync" to heal from a good copy.',
    cause: failures[0]?.failure,
  });
}

/** All objects under `prefix`, as one list. */
export async function listAll(store: ObjectStore, prefix: string, options: CallOptions = {}): Promise<ObjectInfo[]> {
  const all: ObjectInfo[] = [];
  for await (const page of store.list(prefix, options)) all.push(...page);
  return all;
}
