/**
 * Key files and config as a set that every storage must hold, byte for byte: what `init`, `sync` and the key commands copy.
 *
 * Order, always: key files first, config last. A storage is a repository from the moment its config is there, and can then be opened.
 */
import { isFailure } from '../base/failure.ts';
import type { Id } from '../base/ids.ts';
import type { CallOptions, ObjectInfo } from '../storage/object-store.ts';
import { CONFIG_KEY, idOfKey, objectKey } from './keys.ts';
import { listAll, type Replica, readNamed } from './replicas.ts';

/** Key files by id. */
export type KeyFiles = ReadonlyMap<Id, Uint8Array>;

/** The good key files of all `replicas` together. */
export async function collectKeyFiles(replicas: readonly Replica[], options: CallOptions = {}): Promise<KeyFiles> {
  const files = new Map<Id, Uint8Array>();
  for (const replica of replicas) {
    for (const id of await keyIds(replica, options)) {
      if (files.has(id)) continue;
      const bytes = await readKeyFile([replica], id, options).catch(() => undefined);
      if (bytes !== undefined) files.set(id, bytes);
    }
  }
  return files;
}

export async function keyIds(replica: Replica, options: CallOptions = {}): Promise<Id[]> {
  return (await listIfThere(replica, 'keys/', options)).flatMap(({ key }) => idOfKey(key) ?? []);
}

/** All objects under `prefix`; none when the storage's directory has not been made yet. */
export async function listIfThere(
  { store }: Replica,
  prefix: string,
  options: CallOptions = {},
): Promise<readonly ObjectInfo[]> {
  try {
    return await listAll(store, prefix, options);
  } catch (error) {
    if (isFailure(error, 'storage_missing')) return [];
    throw error;
  }
}

/** One key file, hashed, from the first of `replicas` that has it whole. */
export async function readKeyFile(
  replicas: readonly Replica[],
  id: Id,
  options: CallOptions = {},
): Promise<Uint8Array> {
  return readNamed(replicas, objectKey('keys', id), options);
}

/** Stores the key files that the storage lacks. Returns how many those were. */
export async function putKeyFiles(replica: Replica, files: KeyFiles, options: CallOptions = {}): Promise<number> {
  const present = new Set(await keyIds(replica, options));
  let stored = 0;
  for (const [id, bytes] of files) {
    if (present.has(id)) continue;
    await replica.store.put(`keys/${id}`, bytes, options);
    stored++;
  }
  return stored;
}

export async function putConfig(
  replica: Replica,
  bytes: Uint8Array,
  options: CallOptions & { readonly ifAbsent?: boolean } = {},
): Promise<void> {
  await replica.store.put(CONFIG_KEY, bytes, options);
}
