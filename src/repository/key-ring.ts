/**
 * Finding the key file that a password opens. Any storage may hold a damaged key file or a damaged config: the good copy of another
 * storage then serves, so that `check` and `sync` can be run on a repository that needs them.
 */
import { hash } from 'node:crypto';
import { Failure, isFailure } from '../base/failure.ts';
import { howMany } from '../base/how-many.ts';
import type { Id } from '../base/ids.ts';
import type { CallOptions } from '../storage/object-store.ts';
import { type MasterKey, Sealer } from './crypto/envelope.ts';
import { openKeyFile } from './crypto/key-file.ts';
import { parseConfig, type RepositoryConfig } from './format/config-file.ts';
import { keyIds } from './key-copies.ts';
import type { Replica } from './replicas.ts';
import type { RepositorySettings } from './repository.ts';

/** A repository with more key files than this is refused a search: each try costs half a second. */
const MAX_TRIES = 20;

export interface Unlocked {
  readonly masterKey: MasterKey;
  readonly keyId: Id;
  readonly config: RepositoryConfig;
  /** The stored bytes of the config that was opened. */
  readonly configBytes: Uint8Array;
}

/** A storage and the bytes of its config. */
interface Candidate {
  readonly replica: Replica;
  readonly bytes: Uint8Array;
}

/** Tries the key files of each storage in turn until one opens with the password and its master key opens the config. */
export async function unlockWithAnyKey(
  candidates: readonly Candidate[],
  password: string,
  { signal }: Pick<RepositorySettings, 'signal'>,
): Promise<Unlocked> {
  const ring = new KeyRing(password, signal);
  for (const candidate of candidates) {
    const found = await ring.tryStorage(candidate);
    if (found !== undefined) return found;
  }
  throw ring.failure();
}

/** The key files tried so far; each is derived once, whichever storages hold it. */
export class KeyRing {
  readonly #password: string;
  readonly #options: CallOptions;
  readonly #tried = new Map<Id, MasterKey | undefined>();
  readonly #problems: Failure[] = [];

  constructor(password: string, signal: AbortSignal | undefined) {
    this.#password = password;
    this.#options = { signal };
  }

  async tryStorage({ replica, bytes }: Candidate): Promise<Unlocked | undefined> {
    for await (const { keyId, masterKey } of this.openedKeys(replica)) {
      const config = openConfig(masterKey, bytes);
      if (config !== undefined) return { masterKey, keyId, config, configBytes: bytes };
    }
    return undefined;
  }

  /** The key files of a storage that the password opens. */
  async *openedKeys(replica: Replica): AsyncGenerator<{ keyId: Id; masterKey: MasterKey }> {
    for (const keyId of await this.#keyIds(replica)) {
      const masterKey = await this.#open(replica, keyId);
      if (masterKey !== undefined) yield { keyId, masterKey };
    }
  }

  failure(): Failure {
    const first = this.#problems[0];
    if ([...this.#tried.values()].some((key) => key !== undefined)) {
      return new Failure('repository_damaged', 'The config of the repository is damaged on every storage.', {
        hint: 'Copy the object "config" from any other copy of this repository.',
        cause: first,
      });
    }
    if (this.#tried.size > 0) {
      return new Failure(
        'wrong_password',
        `The password opens no key file of the repository (${howMany(this.#tried.size, 'key files')} tried).`,
        {
          hint: 'Check "repository.password" in the configuration; the recovery kit says where the password is kept.',
          cause: first,
        },
      );
    }
    return (
      first ??
      new Failure('repository_damaged', 'The repository has no key files: nothing in it can be opened.', {
        hint: 'Copy the folder "keys" from any other storage of the same repository.',
      })
    );
  }

  async #keyIds(replica: Replica): Promise<Id[]> {
    try {
      return await keyIds(replica, this.#options);
    } catch (error) {
      this.#note(error);
      return [];
    }
  }

  async #open(replica: Replica, keyId: Id): Promise<MasterKey | undefined> {
    if (this.#tried.has(keyId)) return this.#tried.get(keyId);
    if (this.#tried.size >= MAX_TRIES) return undefined;
    try {
      const bytes = await replica.store.get(`keys/${keyId}`, undefined, this.#options);
      if (hash('sha256', bytes, 'hex') !== keyId)
        throw new Failure('repository_damaged', `${replica.name}: keys/${keyId} is damaged.`, {
          hint: 'Run "holdfast sync": it takes the key file from a storage that has it whole.',
        });
      const masterKey = await openKeyFile(bytes, this.#password);
      this.#tried.set(keyId, masterKey);
      return masterKey;
    } catch (error) {
      this.#note(error);
      return undefined;
    }
  }

  #note(error: unknown): void {
    this.#options.signal?.throwIfAborted();
    if (!isFailure(error)) throw error;
    this.#problems.push(error);
  }
}

/** The config, or undefined when this is not the key that sealed it. */
export function openConfig(masterKey: MasterKey, bytes: Uint8Array): RepositoryConfig | undefined {
  try {
    return parseConfig(new Sealer(masterKey).open(bytes));
  } catch (error) {
    if (isFailure(error, 'repository_unsupported')) throw error;
    return undefined;
  }
}
