/**
 * The passwords of a repository: one key file for each, the same on every storage, all holding the same master key.
 *
 * A new key file must be on every storage in use before anything rests on it; an old one is removed only afterwards, and what was removed
 * is remembered, so that a storage that was away does not bring it back. Interrupted at any point, every storage still opens.
 */
import { asFailure, Failure } from '../base/failure.ts';
import { type Id, shortId } from '../base/ids.ts';
import { type JsonObject, parseJsonObject } from '../base/json-object.ts';
import { calibrateScrypt, createKeyFile, openKeyFile } from './crypto/key-file.ts';
import { collectKeyFiles, putKeyFiles, readKeyFile } from './key-copies.ts';
import { objectKey } from './keys.ts';
import { recordRemovedKey } from './meta-keys.ts';
import { inMask, type Replica } from './replicas.ts';
import type { Repository } from './repository.ts';

export interface KeyFileInfo {
  readonly id: Id;
  /** The one that opened the repository for this run. */
  readonly inUse: boolean;
  /** RFC 3339, as the file says; null where it cannot be read. */
  readonly created: string | null;
  readonly hostname: string;
  readonly username: string;
  readonly storages: readonly string[];
}

export async function listKeyFiles(repository: Repository): Promise<KeyFileInfo[]> {
  const infos: KeyFileInfo[] = [];
  for (const [id, mask] of await repository.presence('keys')) {
    const holders = inMask(repository.replicas, mask);
    const { created, hostname, username } = await describe(holders, id);
    infos.push({
      id,
      inUse: id === repository.keyId,
      created: typeof created === 'string' ? created : null,
      hostname: typeof hostname === 'string' ? hostname : '',
      username: typeof username === 'string' ? username : '',
      storages: holders.map(({ name }) => name),
    });
  }
  return infos.sort((a, b) => (a.created ?? '').localeCompare(b.created ?? ''));
}

/** What a key file says of itself; nothing for one that cannot be read. */
async function describe(holders: readonly Replica[], id: Id): Promise<JsonObject> {
  const bytes = await readKeyFile(holders, id).catch(() => undefined);
  return (bytes && parseJsonObject(Buffer.from(bytes).toString())) ?? {};
}

/** Adds a key file for `password` to every storage in use. Throws without any effect on the other keys when one cannot take it. */
export async function addKeyFile(repository: Repository, password: string): Promise<Id> {
  requireAllStorages(repository);
  if (password === '') throw new Failure('usage', 'The new password is empty.');
  const { clock, holder, signal } = repository.settings;
  const { id, bytes } = createKeyFile({
    password,
    masterKey: repository.masterKey,
    hostname: holder.hostname,
    username: holder.username,
    created: new Date(clock.now()).toISOString(),
    params: calibrateScrypt(clock),
  });
  if ((await openKeyFile(bytes, password)) === undefined)
    throw new Failure('internal', 'A new key file does not open with its password.');
  const options = { signal };
  for (const replica of repository.replicas) await putKeyFiles(replica, new Map([[id, bytes]]), options);
  return id;
}

/** Removes a key file from every storage in use. The one in use and the last one stay. */
export async function removeKeyFile(repository: Repository, id: Id): Promise<void> {
  requireAllStorages(repository);
  if (id === repository.keyId) {
    throw new Failure('usage', `The key ${shortId(id)} is the one this run opened the repository with.`, {
      hint: 'Open the repository with another password to remove it, or use "holdfast key passwd".',
    });
  }
  const good = await collectKeyFiles(repository.replicas);
  if (![...good.keys()].some((other) => other !== id))
    throw new Failure('usage', 'The last key of a repository stays.');
  await deleteEverywhere(repository, id);
}

/** Replaces the password of this run: the new key is everywhere before the old one goes anywhere. Returns the new key's id. */
export async function replaceKeyFile(repository: Repository, password: string): Promise<Id> {
  const id = await addKeyFile(repository, password);
  await deleteEverywhere(repository, repository.keyId);
  return id;
}

async function deleteEverywhere(repository: Repository, id: Id): Promise<void> {
  await recordRemovedKey(repository, id);
  const failures: Failure[] = [];
  for (const { store } of repository.replicas) {
    try {
      await store.delete(objectKey('keys', id));
    } catch (error) {
      failures.push(asFailure(error, 'storage_unreachable'));
    }
  }
  const [first] = failures;
  if (first !== undefined) {
    throw new Failure(
      first.code,
      `The key ${shortId(id)} could not be removed everywhere: ${failures.map(({ message }) => message).join(' ')}`,
      {
        hint: 'Run the command again when the storage can be written. Until then the old password still opens it there.',
        cause: first,
      },
    );
  }
}

/** Keys that are on some storages only are how people lock themselves out. */
function requireAllStorages(repository: Repository): void {
  const [lost] = repository.lost;
  if (lost === undefined) return;
  const code = lost.failure.code === 'repository_missing' ? 'storages_failed' : lost.failure.code;
  throw new Failure(
    code,
    `Keys are changed on all storages or on none, and one cannot be used: ${lost.failure.message}`,
    {
      hint: 'Bring the storage back (or run "holdfast sync" if it was wiped), then try again.',
      cause: lost.failure,
    },
  );
}
