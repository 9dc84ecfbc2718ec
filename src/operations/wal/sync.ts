/** The archive's part in `sync`: what a storage lacks of the needed log comes from the others, and so do good copies of what is damaged. */
import { asFailure, type Failure } from '../../base/failure.ts';
import { type Damage, readDamage } from '../../repository/meta-damage.ts';
import type { Replica } from '../../repository/replicas.ts';
import type { Repository } from '../../repository/repository.ts';
import { listSnapshots } from '../../repository/snapshots.ts';
import { withFound } from '../../repository/with-replicas.ts';
import type { Session } from '../session.ts';
import { damageOf, goodCopy, lackingOn, objectsOf, type WalObject } from './care.ts';
import { clusterNeeds } from './needs.ts';

export interface WalSync {
  readonly copied: number;
  readonly bytes: number;
}

export interface WalSyncReport {
  readonly storages: ReadonlyMap<string, WalSync>;
  readonly failures: ReadonlyMap<string, Failure>;
  readonly remaining: readonly Damage[];
}

/** `storages`: those that were brought level otherwise. */
export async function syncWal(
  opened: Session,
  storages: ReadonlySet<string>,
  readData: boolean,
): Promise<WalSyncReport> {
  const repository = withRebuilt(opened.repository, storages);
  const session = { ...opened, repository };
  const done = new Map<string, WalSync>();
  const failures = new Map<string, Failure>();
  const remaining: Damage[] = [];
  const targets = repository.replicas.filter(({ name }) => storages.has(name));
  const clusters = targets.length === 0 ? [] : await clusterNeeds(repository, await listSnapshots(repository));
  const known = clusters.length === 0 ? [] : (await readDamage(repository)).filter(({ key }) => key.startsWith('wal/'));
  for (const replica of clusters.length === 0 ? [] : targets) {
    try {
      const copier = new Copier(session, replica);
      for (const cluster of clusters) {
        for (const object of lackingOn(cluster, replica, true)) await copier.bring(object);
        const suspects = new Set(known.filter(({ storage }) => storage === replica.name).map(({ key }) => key));
        for (const object of objectsOf(cluster))
          if ((object.mask & replica.bit) !== 0 && (readData || suspects.has(object.key))) await copier.heal(object);
      }
      remaining.push(...copier.remaining);
      done.set(replica.name, { copied: copier.copied, bytes: copier.bytes });
    } catch (error) {
      session.signal.throwIfAborted();
      failures.set(replica.name, asFailure(error, 'storage_unreachable'));
    }
  }
  return { storages: done, failures, remaining };
}

/** Storages that could not be used before, and were rebuilt by now, are used as well. */
function withRebuilt(repository: Repository, storages: ReadonlySet<string>): Repository {
  return repository.lost.filter(({ name }) => storages.has(name)).reduce(withFound, repository);
}

class Copier {
  copied = 0;
  bytes = 0;
  readonly remaining: Damage[] = [];
  readonly #session: Session;
  readonly #replica: Replica;

  constructor(session: Session, replica: Replica) {
    this.#session = session;
    this.#replica = replica;
  }

  /** What only damaged copies exist of is the concern of the storages that hold those. */
  async bring(object: WalObject): Promise<void> {
    const bytes = await this.#good(object);
    if (bytes !== undefined) await this.#put(object, bytes);
  }

  async heal(object: WalObject): Promise<void> {
    const damage = await damageOf(this.#session, this.#replica, object);
    if (damage === undefined) return;
    const bytes = await this.#good(object);
    if (bytes === undefined) this.remaining.push({ ...damage, detail: 'no storage has a good copy' });
    else await this.#put(object, bytes);
  }

  async #good(object: WalObject): Promise<Uint8Array | undefined> {
    return goodCopy(this.#session, object, this.#replica).catch(() => {
      this.#session.signal.throwIfAborted();
      return undefined;
    });
  }

  async #put({ key }: WalObject, bytes: Uint8Array): Promise<void> {
    await this.#replica.store.put(key, bytes, { signal: this.#session.signal });
    this.copied++;
    this.bytes += bytes.length;
  }
}
