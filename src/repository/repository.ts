/**
 * An opened repository: one set of keys, several storages that each hold a complete copy.
 *
 * The state is in the type: a `Repository` reads keys, snapshots and locks; only `loadIndex` gives something that can find a blob.
 */
import { hash } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { asFailure, EXIT, Failure } from '../base/failure.ts';
import { type Id, id as toId } from '../base/ids.ts';
import type { ByteRange, CallOptions, ObjectStore } from '../storage/object-store.ts';
import { askAll } from './ask-all.ts';
import { type MasterKey, Sealer } from './crypto/envelope.ts';
import { parseConfig, type RepositoryConfig } from './format/config-file.ts';
import { decodeUnpacked, encodeUnpacked } from './format/unpacked.ts';
import { loadIndexes } from './index-loader.ts';
import type { IndexedRepository } from './indexed-repository.ts';
import { unlockWithAnyKey } from './key-ring.ts';
import { CONFIG_KEY, type FlatKind, idOfKey, objectKey } from './keys.ts';
import { type Holder, Lock } from './locks.ts';
import { noneUsable } from './none-usable.ts';
import {
  inMask,
  type LostReplica,
  listAll,
  maskOf,
  type ReadProblem,
  type Replica,
  readFromAny,
  toReplicas,
} from './replicas.ts';

export interface RepositorySettings {
  readonly clock: Clock;
  readonly holder: Holder;
  readonly signal?: AbortSignal | undefined;
  /** Hears of every bad copy that a read met and went round. */
  readonly onProblem?: (problem: ReadProblem) => void;
}

/** What a set of storages holds of one flat kind: the ids, each with the mask of its storages. */
export type Presence = Map<Id, number>;

export class Repository {
  readonly config: RepositoryConfig;
  readonly masterKey: MasterKey;
  readonly sealer: Sealer;
  /** Storages in use, in the order of the configuration; numbers are those of the configuration. */
  readonly replicas: readonly Replica[];
  /** Storages that could not be opened, each with its reason. */
  readonly lost: readonly LostReplica[];
  readonly settings: RepositorySettings;
  /** The key file that opened the repository. */
  readonly keyId: Id;

  constructor(parts: {
    config: RepositoryConfig;
    masterKey: MasterKey;
    keyId: Id;
    replicas: readonly Replica[];
    lost: readonly LostReplica[];
    settings: RepositorySettings;
  }) {
    this.config = parts.config;
    this.masterKey = parts.masterKey;
    this.sealer = new Sealer(parts.masterKey);
    this.keyId = parts.keyId;
    this.replicas = parts.replicas;
    this.lost = parts.lost;
    this.settings = parts.settings;
  }

  /** The mask of all storages in use. */
  get all(): number {
    return maskOf(this.replicas);
  }

  /** For calls of storages: they end when the run is interrupted. */
  get callOptions(): CallOptions {
    return { signal: this.settings.signal };
  }

  replica(name: string): Replica | undefined {
    return this.replicas.find((replica) => replica.name === name);
  }

  /** Which storages hold which objects of a kind. A storage that cannot be listed makes this fail: half a picture is none. */
  async presence(
    kind: FlatKind,
    replicas: readonly Replica[] = this.replicas,
    signal: AbortSignal | undefined = this.settings.signal,
  ): Promise<Presence> {
    const lists = await Promise.all(
      replicas.map(async (replica) => ({
        replica,
        objects: await listAll(replica.store, `${kind}/`, { signal }),
      })),
    );
    const presence: Presence = new Map();
    for (const { replica, objects } of lists) {
      for (const { key } of objects) {
        const id = idOfKey(key);
        if (id !== undefined) presence.set(id, ((presence.get(id) ?? 0) | replica.bit) >>> 0);
      }
    }
    return presence;
  }

  /** The plaintext of an index, snapshot or lock, from the nearest storage of `mask` that has a good copy. */
  async readUnpacked(kind: Exclude<FlatKind, 'keys'>, id: Id, mask: number = this.all): Promise<string> {
    return this.read(mask, objectKey(kind, id), (bytes) => decodeUnpacked(this.openNamed(bytes, id)));
  }

  /** What `accept` makes of an object, or of a range of it, from the nearest storage of `mask` whose copy it does not refuse. */
  read<T>(mask: number, key: string, accept: (bytes: Uint8Array) => T, range?: ByteRange): Promise<T> {
    return readFromAny(inMask(this.replicas, mask), key, range, accept, this.settings.onProblem, this.callOptions);
  }

  /** Seals a JSON document (its text, or that in bytes) and names it; nothing is stored yet. */
  sealUnpacked(json: string | Uint8Array): { readonly id: Id; readonly bytes: Uint8Array } {
    const bytes = this.sealer.seal(encodeUnpacked(json, true));
    return { id: toId(hash('sha256', bytes, 'hex')), bytes };
  }

  /** Checks that the bytes hash to their name, then opens the envelope. */
  openNamed(bytes: Uint8Array, id: Id): Buffer {
    if (hash('sha256', bytes, 'hex') !== id)
      throw new Failure('data_damaged', `${id.slice(0, 8)} does not hash to its name.`);
    return this.sealer.open(bytes);
  }

  /** Locks every storage in use, or `replicas`; all or none. */
  async lock(exclusive: boolean, replicas: readonly Replica[] = this.replicas): Promise<LockSet> {
    const set = await this.announceLock(exclusive, replicas);
    await set.settled();
    return set;
  }

  /** The same, but to be waited for with `settled` before anything rests on it: what is read meanwhile costs no time. */
  async announceLock(
    exclusive: boolean,
    replicas: readonly Replica[] = this.replicas,
    signal: AbortSignal | undefined = this.settings.signal,
  ): Promise<LockSet> {
    const { clock, holder } = this.settings;
    const options = { sealer: this.sealer, clock, holder, exclusive, signal };
    const outcomes = await Promise.allSettled(replicas.map((replica) => Lock.announce(replica, options)));
    const set = new LockSet(outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) {
      await set.release();
      throw failed.reason;
    }
    return set;
  }

  /** Reads the indexes of all storages. Snapshots must be listed before this, never after: what they need is then indexed. */
  async loadIndex(): Promise<IndexedRepository> {
    return loadIndexes(this);
  }

  async close(): Promise<void> {
    await Promise.all([...this.replicas, ...this.lost].map(({ store }) => store.close()));
  }
}

/** Locks on several storages, held and released together. */
export class LockSet implements AsyncDisposable {
  readonly locks: readonly Lock[];

  constructor(locks: readonly Lock[]) {
    this.locks = locks;
  }

  /** Fires when any of the locks is lost. */
  get lost(): AbortSignal {
    return AbortSignal.any(this.locks.map((lock) => lock.lost));
  }

  /** Resolves when all are held. When one had to give way all are released, and its failure is thrown. */
  async settled(): Promise<void> {
    const outcomes = await Promise.allSettled(this.locks.map((lock) => lock.settled()));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed === undefined) return;
    await this.release();
    throw failed.reason;
  }

  async assertHeld(): Promise<void> {
    await Promise.all(this.locks.map((lock) => lock.assertHeld()));
  }

  async release(): Promise<void> {
    await Promise.all(this.locks.map((lock) => lock.release()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }
}

/**
 * Opens the repository in `stores` with the password. Storages that are unreachable, empty or hold another repository end up in `lost`;
 * it fails only when none can be used: `repository_missing` when all are empty, `wrong_password`, or the storages' own failures.
 */
export async function openRepository(
  stores: readonly ObjectStore[],
  password: string,
  settings: RepositorySettings,
): Promise<Repository> {
  const replicas = toReplicas(stores);
  const configs = await askAll<ConfigObject>(replicas, {
    clock: settings.clock,
    signal: settings.signal,
    ask: (replica, patience) => readConfigObject(replica, settings, patience),
    isGood: (entry) => 'bytes' in entry,
    silent: (replica, failure) => ({ replica, failure }),
  });
  const reachable = configs.filter((entry) => 'bytes' in entry);
  if (reachable.length === 0) throw noneOpens(configs.flatMap((entry) => ('failure' in entry ? [entry] : [])));
  const unlocked = await unlockWithAnyKey(reachable, password, settings);
  const used: Replica[] = [];
  const lost: LostReplica[] = [];
  for (const entry of configs) {
    const { replica } = entry;
    const failure = 'failure' in entry ? entry.failure : foreignness(entry, unlocked);
    if (failure === undefined) used.push(replica);
    else lost.push({ name: replica.name, store: replica.store, failure });
  }
  return new Repository({
    config: unlocked.config,
    masterKey: unlocked.masterKey,
    keyId: unlocked.keyId,
    replicas: used,
    lost,
    settings,
  });
}

type ConfigObject = { replica: Replica; bytes: Uint8Array } | { replica: Replica; failure: Failure };

/** The config, from a storage that can also be listed: one that cannot would fail everything that comes after. */
async function readConfigObject(
  replica: Replica,
  { signal }: RepositorySettings,
  patience: AbortSignal,
): Promise<ConfigObject> {
  const { store } = replica;
  try {
    const bytes = await store.get(CONFIG_KEY, undefined, { signal: patience });
    for await (const _page of store.list('snapshots/', { signal: patience })) break;
    return { replica, bytes };
  } catch (error) {
    signal?.throwIfAborted();
    const failure = asFailure(error, 'storage_unreachable');
    if (failure.code !== 'object_missing') return { replica, failure };
    return { replica, failure: missing(replica.store) };
  }
}

function missing(store: ObjectStore): Failure {
  return new Failure('repository_missing', `${store.name}: there is no repository at ${store.location}.`, {
    hint: 'Run "holdfast init" for a new one; if this storage was wiped, "holdfast sync" rebuilds it from the others.',
  });
}

function foreignness(
  { replica, bytes }: { replica: Replica; bytes: Uint8Array },
  { config, masterKey }: { config: RepositoryConfig; masterKey: MasterKey },
): Failure | undefined {
  const hint = `Give storage "${replica.name}" a place of its own (another path, bucket or prefix).`;
  const foreign = new Failure(
    'repository_foreign',
    `${replica.name}: ${replica.store.location} holds another repository.`,
    { hint },
  );
  try {
    return parseConfig(new Sealer(masterKey).open(bytes)).id === config.id ? undefined : foreign;
  } catch {
    return foreign;
  }
}

function noneOpens(entries: readonly { replica: Replica; failure: Failure }[]): Failure {
  const first = entries.find(({ failure }) => failure.code !== 'repository_missing') ?? entries[0];
  if (first === undefined) return new Failure('config_invalid', 'No storage is configured.');
  if (entries.length === 1 || first.failure.code === 'repository_missing') return first.failure;
  const nothingThere = entries.every(({ failure }) => failure.exitCode === EXIT.noRepository);
  return noneUsable(
    entries.map(({ failure }) => failure),
    { code: nothingThere ? 'storage_missing' : 'storages_failed', main: first.failure },
  );
}
