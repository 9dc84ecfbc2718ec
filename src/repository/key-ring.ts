/** Finding the key file that a password opens. */
import { Failure, isFailure } from '../base/failure.ts';
import type { Id } from '../base/ids.ts';
import { type MasterKey, Sealer } from './crypto/envelope.ts';
import { openKeyFile } from './crypto/key-file.ts';
import { parseConfig, type RepositoryConfig } from './format/config-file.ts';
import { idOfKey } from './keys.ts';
import { listAll, type Replica } from './replicas.ts';
import type { RepositorySettings } from './repository.ts';

/** A repository with more key files than this is refused a search: each try costs half a second. */
const MAX_TRIES = 20;

export interface Unlocked {
  readonly masterKey: MasterKey;
  readonly keyId: Id;
  readonly config: RepositoryConfig;
}

/** Tries the key files of each storage in turn until one opens with the password and its master key opens the config. */
export async function unlockWithAnyKey(
  candidates: readonly { readonly replica: Replica; readonly bytes: Uint8Array }[],
  password: string,
  { signal }: RepositorySettings,
): Promise<Unlocked> {
  const options = signal ? { signal } : {};
  const tried = new Set<Id>();
  const problems: Failure[] = [];
  for (const { replica, bytes } of candidates) {
    try {
      for (const { key } of await listAll(replica.store, 'keys/', options)) {
        const keyId = idOfKey(key);
        if (keyId === undefined || tried.has(keyId) || tried.size >= MAX_TRIES) continue;
        tried.add(keyId);
        const masterKey = openKeyFile(await replica.store.get(key, undefined, options), password);
        const config = masterKey && openConfig(masterKey, bytes);
        if (masterKey && config) return { masterKey, keyId, config };
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (!isFailure(error)) throw error;
      problems.push(error);
    }
  }
  if (problems[0] !== undefined && tried.size === 0) throw problems[0];
  if (tried.size === 0) {
    throw new Failure('repository_damaged', 'The repository has no key files: nothing in it can be opened.', {
      hint: 'Copy the folder "keys" from any other storage of the same repository.',
    });
  }
  throw new Failure('wrong_password', `The password opens none of the ${tried.size} key files of the repository.`, {
    hint: 'Check "repository.password" in the configuration; the recovery kit says where the password is kept.',
    cause: problems[0],
  });
}

function openConfig(masterKey: MasterKey, bytes: Uint8Array): RepositoryConfig | undefined {
  try {
    return parseConfig(new Sealer(masterKey).open(bytes));
  } catch (error) {
    if (isFailure(error, 'repository_unsupported')) throw error;
    return undefined;
  }
}
