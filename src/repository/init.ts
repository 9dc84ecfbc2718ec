/**
 * Creating the repository: the same config, master key and key files on every storage, byte for byte.
 *
 * It may be interrupted anywhere and run again at any time. What it finds decides what it does:
 *
 *   some storage holds a repository that the password opens ──▶ the others are completed from it
 *   none does, but one holds key files that the password opens (an interrupted init) ──▶ those keys are used
 *   nothing is there ──▶ a new repository
 *
 * The config of the first usable storage is created conditionally and decides between two inits that run at once; the loser looks again.
 */
import type { Clock } from '../base/clock.ts';
import { asFailure, Failure } from '../base/failure.ts';
import type { Id } from '../base/ids.ts';
import type { CallOptions, ObjectStore } from '../storage/object-store.ts';
import { type Guarantee, probeStore } from '../storage/probe.ts';
import { type MasterKey, Sealer } from './crypto/envelope.ts';
import { calibrateScrypt, createKeyFile, generateMasterKey, type ScryptParams } from './crypto/key-file.ts';
import { encodeConfig, newRepositoryConfig, type RepositoryConfig } from './format/config-file.ts';
import {
  collectKeyFiles,
  type KeyFiles,
  keyIds,
  listIfThere,
  putConfig,
  putKeyFiles,
  readKeyFile,
} from './key-copies.ts';
import { KeyRing, openConfig, unlockWithAnyKey } from './key-ring.ts';
import { CONFIG_KEY } from './keys.ts';
import type { Holder } from './locks.ts';
import { allFailed } from './none-usable.ts';
import { type Replica, toReplicas } from './replicas.ts';

export type { Guarantee } from '../storage/probe.ts';

export interface InitSettings {
  readonly clock: Clock;
  readonly holder: Pick<Holder, 'hostname' | 'username'>;
  readonly signal?: AbortSignal | undefined;
  /** Try what storages that are new guarantee, and refuse those that cannot hold a repository. `objectLocked`: names to try object lock on. */
  readonly probe?: { readonly objectLocked: ReadonlySet<string> };
  /** Cost of the key derivation; calibrated to about half a second on this machine when left out. */
  readonly scrypt?: ScryptParams;
}

export type InitOutcome =
  /** `created`: a new repository; `completed`: config or keys were missing; `existing`: nothing had to be done. */
  | {
      readonly state: 'created' | 'completed' | 'existing';
      /** What the storage does not guarantee, and a repository can do without. */
      readonly missing?: readonly Guarantee[];
    }
  | { readonly state: 'failed'; readonly failure: Failure };

export interface InitResult {
  readonly repositoryId: Id;
  readonly keyId: Id;
  /** By storage name, in the order of the configuration. */
  readonly storages: ReadonlyMap<string, InitOutcome>;
}

interface Look {
  readonly replica: Replica;
  readonly config: Uint8Array | undefined;
  /** Snapshots or indexes are there: backups, whatever else is missing. */
  readonly holdsBackups: boolean;
}

interface Material {
  readonly config: RepositoryConfig;
  readonly configBytes: Uint8Array;
  readonly masterKey: MasterKey;
  readonly keyId: Id;
  readonly keyFiles: KeyFiles;
  readonly isNew: boolean;
}

const ATTEMPTS = 5;

/** Throws `wrong_password` when no repository found opens, and the storages' own failure when none can be used at all. */
export async function initRepositories(
  stores: readonly ObjectStore[],
  password: string,
  settings: InitSettings,
): Promise<InitResult> {
  if (password === '') throw new Failure('config_invalid', 'The repository password is empty.');
  for (let attempt = 1; ; attempt++) {
    try {
      return await initOnce(toReplicas(stores), password, settings);
    } catch (error) {
      if (!(error instanceof Failure && error.code === 'object_exists') || attempt === ATTEMPTS) throw error;
    }
  }
}

async function initOnce(replicas: readonly Replica[], password: string, settings: InitSettings): Promise<InitResult> {
  const storages = new Map<string, InitOutcome>(replicas.map(({ name }) => [name, { state: 'existing' }]));
  const looks: Look[] = [];
  for (const replica of replicas) {
    const seen = await lookAt(replica, settings).catch((error: unknown) => failed(error, settings));
    if (seen instanceof Failure) storages.set(replica.name, { state: 'failed', failure: seen });
    else looks.push(seen);
  }
  if (looks.length === 0) throw allFailed(failuresOf(storages));
  const material = await findOrMake(looks, password, settings);
  let first = true;
  for (const look of looks) {
    const outcome = await complete(look, material, first, settings).catch((error: unknown) => {
      const failure = failed(error, settings);
      if (failure.code === 'object_exists') throw failure;
      return { state: 'failed', failure } as const;
    });
    storages.set(look.replica.name, outcome);
    if (outcome.state !== 'failed') first = false;
  }
  if ([...storages.values()].every(({ state }) => state === 'failed')) throw allFailed(failuresOf(storages));
  return { repositoryId: material.config.id, keyId: material.keyId, storages };
}

async function lookAt(replica: Replica, { signal }: InitSettings): Promise<Look> {
  const options = { signal };
  const config = await readIfThere(replica, options);
  const snapshots = await listIfThere(replica, 'snapshots/', options);
  const holdsBackups = snapshots.length > 0 || (await listIfThere(replica, 'index/', options)).length > 0;
  return { replica, config, holdsBackups };
}

/** The config, or undefined when there is none, be it that the directory itself does not exist yet. */
async function readIfThere(replica: Replica, options: CallOptions): Promise<Uint8Array | undefined> {
  try {
    return await replica.store.get(CONFIG_KEY, undefined, options);
  } catch (error) {
    const { code } = asFailure(error);
    if (code === 'object_missing' || code === 'storage_missing') return undefined;
    throw error;
  }
}

async function findOrMake(looks: readonly Look[], password: string, settings: InitSettings): Promise<Material> {
  const options = { signal: settings.signal };
  const candidates = looks.flatMap(({ replica, config }) => (config ? [{ replica, bytes: config }] : []));
  if (candidates.length > 0) {
    const unlocked = await unlockWithAnyKey(candidates, password, options);
    const ours = candidates.filter(({ bytes }) => openConfig(unlocked.masterKey, bytes)?.id === unlocked.config.id);
    const keyFiles = await collectKeyFiles(
      ours.map(({ replica }) => replica),
      options,
    );
    return { ...unlocked, keyFiles, isNew: false };
  }
  return (await fromLeftovers(looks, password, options)) ?? make(password, settings);
}

/** What an interrupted init left: key files without any config. */
async function fromLeftovers(
  looks: readonly Look[],
  password: string,
  options: CallOptions,
): Promise<Material | undefined> {
  const ring = new KeyRing(password, options.signal);
  for (const { replica } of looks) {
    for await (const { keyId, masterKey } of ring.openedKeys(replica)) {
      const bytes = await readKeyFile([replica], keyId, options);
      return { ...newConfig(masterKey), masterKey, keyId, keyFiles: new Map([[keyId, bytes]]), isNew: true };
    }
  }
  return undefined;
}

function make(password: string, { clock, holder, scrypt }: InitSettings): Material {
  const masterKey = generateMasterKey();
  const { id, bytes } = createKeyFile({
    password,
    masterKey,
    hostname: holder.hostname,
    username: holder.username,
    created: new Date(clock.now()).toISOString(),
    params: scrypt ?? calibrateScrypt(clock),
  });
  return { ...newConfig(masterKey), masterKey, keyId: id, keyFiles: new Map([[id, bytes]]), isNew: true };
}

function newConfig(masterKey: MasterKey): { config: RepositoryConfig; configBytes: Uint8Array } {
  const config = newRepositoryConfig();
  return { config, configBytes: new Sealer(masterKey).seal(encodeConfig(config)) };
}

async function complete(
  { replica, config, holdsBackups }: Look,
  material: Material,
  isFirst: boolean,
  settings: InitSettings,
): Promise<InitOutcome> {
  const options = { signal: settings.signal };
  if (config !== undefined && openConfig(material.masterKey, config)?.id !== material.config.id) throw foreign(replica);
  if (config === undefined && holdsBackups && !(await sharesKey(replica, material, options))) throw headless(replica);
  const stored = await putKeyFiles(replica, material.keyFiles, options);
  if (config !== undefined) return { state: stored > 0 ? 'completed' : 'existing' };
  const missing = await probe(replica, settings);
  try {
    await putConfig(replica, material.configBytes, { ...options, ifAbsent: isFirst });
  } catch (error) {
    if (asFailure(error).code !== 'object_exists') throw error;
    if (!(await isOwn(replica, material, options))) {
      await withdraw(replica, material);
      throw error;
    }
  }
  await removeStrays(replica, material, options);
  return { state: material.isNew ? 'created' : 'completed', ...(missing.length > 0 ? { missing } : {}) };
}

/** What the storage lacks and a repository can do without. Throws `storage_misbehaves` when it cannot. */
async function probe({ store, name }: Replica, { probe: wish, clock, signal }: InitSettings): Promise<Guarantee[]> {
  if (wish === undefined) return [];
  const objectLock = wish.objectLocked.has(name);
  const found = await probeStore(store, { clock, objectLock, signal });
  const lacking = found.guarantees.filter(({ held }) => !held);
  if (found.usable) return lacking;
  const words = lacking.filter(({ needed }) => needed).map(({ title, missing }) => `that ${title}: ${missing}`);
  throw new Failure('storage_misbehaves', `${name}: ${store.location} does not guarantee ${words.join(' Nor ')}`, {
    hint: 'Use another storage, or mend this one; "holdfast doctor" tries it again.',
  });
}

/** Whether the config there is the one we stored and only the answer to that was lost. */
async function isOwn(replica: Replica, { configBytes }: Material, options: CallOptions): Promise<boolean> {
  return Buffer.compare(await replica.store.get(CONFIG_KEY, undefined, options), configBytes) === 0;
}

/** Another init was faster here: a second master key beside its own would keep restic from opening the repository. */
async function withdraw(replica: Replica, { keyFiles }: Material): Promise<void> {
  for (const id of keyFiles.keys()) await replica.store.delete(`keys/${id}`);
}

/** Key files that an interrupted init left here and that open nothing: now that the config stands, they never will. */
async function removeStrays(replica: Replica, { keyFiles }: Material, options: CallOptions): Promise<void> {
  for (const id of await keyIds(replica, options))
    if (!keyFiles.has(id)) await replica.store.delete(`keys/${id}`, options);
}

async function sharesKey(replica: Replica, { keyFiles }: Material, options: CallOptions) {
  return [...(await collectKeyFiles([replica], options)).keys()].some((id) => keyFiles.has(id));
}

function failed(error: unknown, { signal }: InitSettings): Failure {
  signal?.throwIfAborted();
  return asFailure(error, 'storage_unreachable');
}

function foreign({ name, store }: Replica): Failure {
  return new Failure(
    'repository_foreign',
    `${name}: ${store.location} holds another repository, or a damaged config.`,
    {
      hint: `Give storage "${name}" a place of its own. If it is the same repository, "holdfast check" says what is damaged and "holdfast sync" heals it.`,
    },
  );
}

function headless({ name, store }: Replica): Failure {
  return new Failure(
    'repository_damaged',
    `${name}: ${store.location} holds backups but no config, and none of its keys is known here; it is left untouched.`,
    { hint: 'Bring back its objects "config" and "keys/…" from another copy, or give this storage an empty place.' },
  );
}

function failuresOf(storages: ReadonlyMap<string, InitOutcome>): Failure[] {
  return [...storages.values()].flatMap((outcome) => (outcome.state === 'failed' ? [outcome.failure] : []));
}
