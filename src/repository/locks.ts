/**
 * Locks, as restic keeps them: one small object per holder and storage. Shared locks may stand together, an exclusive one stands alone.
 *
 *   look ──▶ write own ──▶ wait 200 ms ──▶ look again ──▶ held ──▶ refresh every 5 min (new object, then the old one goes) ──▶ released
 *     └── conflict: Failure `locked`            └── conflict: own goes, Failure `locked`
 *
 * A lock is stale when its holder was a process of this machine, since the last boot, that no longer exists, or, from elsewhere, when it is
 * older than 30 minutes: holders refresh every 5 and stop by themselves after 22.5, so this holds while clocks differ by less than the rest.
 * Stale locks are removed on the way in. A holder whose lock vanished must stop: every refresh looks, and so does `assertHeld`.
 */

import { hash } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { asFailure, Failure } from '../base/failure.ts';
import { type Id, id } from '../base/ids.ts';
import type { Sealer } from './crypto/envelope.ts';
import { decodeUnpacked, encodeUnpacked } from './format/unpacked.ts';
import { idOfKey, objectKey } from './keys.ts';
import { listAll, type Replica } from './replicas.ts';

const REFRESH_MS = 5 * 60_000;
const GIVE_UP_MS = 22.5 * 60_000;
const STALE_MS = 30 * 60_000;
const SETTLE_MS = 200;
/** A storage that does not answer must not hold up the end of a run: what is left behind is seen to be stale. */
const RELEASE_MS = 15_000;

/** The locks that this process holds: one with its process id that is not among them was left by a dead process of the same number. */
const heldHere = new Set<Id>();

/** Who holds a lock. */
export interface Holder {
  readonly hostname: string;
  readonly username: string;
  readonly pid: number;
  /** Names the running system and process namespace in which `pid` means something. */
  readonly system: string;
  /** Whether a process of this system is alive. */
  readonly isAlive: (pid: number) => boolean;
}

interface LockRecord {
  readonly time: number;
  readonly exclusive: boolean;
  readonly hostname: string;
  readonly pid: number;
  readonly system: string | undefined;
}

export interface LockOptions {
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly holder: Holder;
  readonly exclusive: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A lock on one storage. Release it in a `finally`, or declare it with `await using`. */
export class Lock implements AsyncDisposable {
  readonly replica: Replica;
  readonly #options: LockOptions;
  readonly #ending = new AbortController();
  readonly #lost = new AbortController();
  #id: Id;
  readonly #settling: Promise<void>;
  readonly #refreshing: Promise<void>;

  private constructor(replica: Replica, options: LockOptions, own: Id) {
    this.replica = replica;
    this.#options = options;
    this.#id = own;
    this.#refreshing = this.#keepFresh();
    this.#settling = this.#settle(own);
    this.#settling.catch(() => {}); // told by `settled`
  }

  /** Fires with a `lock_lost` Failure when the lock could not be kept. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** A lock that is held. */
  static async acquire(replica: Replica, options: LockOptions): Promise<Lock> {
    const lock = await Lock.announce(replica, options);
    await lock.settled();
    return lock;
  }

  /**
   * A lock that others can see from now on, but that may still have to give way: nothing may be relied upon before `settled`. What is listed
   * and read meanwhile stays there if it settles, since nobody begins to delete beside a lock that stands.
   */
  static async announce(replica: Replica, options: LockOptions): Promise<Lock> {
    await refuseConflicts(replica, options, undefined);
    return new Lock(replica, options, await writeLock(replica, options));
  }

  /** Resolves when the lock is held; throws `locked` when it had to give way: then it is gone. */
  settled(): Promise<void> {
    return this.#settling;
  }

  /** Throws `lock_lost` when somebody took the lock away; to be asked before anything is deleted. */
  async assertHeld(): Promise<void> {
    this.#lost.signal.throwIfAborted();
    if (!(await this.#exists())) throw this.#loss('was removed by somebody else');
  }

  async release(): Promise<void> {
    await this.#settling.then(
      () => this.#end(),
      () => {}, // it ended by itself
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  async #settle(own: Id): Promise<void> {
    const { clock, signal } = this.#options;
    try {
      await clock.sleep(SETTLE_MS, signal);
      await refuseConflicts(this.replica, this.#options, own);
    } catch (error) {
      await this.#end();
      throw error;
    }
  }

  async #end(): Promise<void> {
    this.#ending.abort();
    await this.#refreshing;
    await removeLock(this.replica, this.#options, this.#id);
  }

  async #keepFresh(): Promise<void> {
    const { clock } = this.#options;
    let refreshed = clock.monotonic();
    let wait = REFRESH_MS;
    while (await slept(clock, wait, this.#ending.signal)) {
      try {
        if (!(await this.#exists())) return this.#lost.abort(this.#loss('was removed by somebody else'));
        const old = this.#id;
        this.#id = await writeLock(this.replica, { ...this.#options, signal: this.#ending.signal });
        refreshed = clock.monotonic();
        wait = REFRESH_MS;
        await removeLock(this.replica, this.#options, old);
      } catch {
        wait = 30_000;
        if (clock.monotonic() - refreshed > GIVE_UP_MS)
          return this.#lost.abort(this.#loss('could not be refreshed for 22 minutes'));
      }
    }
  }

  /** Asks again when a refresh has replaced the lock meanwhile. */
  async #exists(): Promise<boolean> {
    for (;;) {
      const asked = this.#id;
      const found = await this.replica.store.stat(objectKey('locks', asked), { signal: this.#ending.signal });
      if (found !== undefined) return true;
      if (asked === this.#id) return false;
    }
  }

  #loss(what: string): Failure {
    return new Failure('lock_lost', `${this.replica.name}: the lock of this run ${what}.`, {
      hint: 'Nothing is damaged. Run the command again when nobody else works on the repository.',
    });
  }
}

async function slept(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  return clock.sleep(ms, signal).then(
    () => true,
    () => false,
  );
}

async function writeLock(replica: Replica, { sealer, clock, holder, exclusive, signal }: LockOptions): Promise<Id> {
  const record = {
    time: new Date(clock.now()).toISOString(),
    exclusive,
    hostname: holder.hostname,
    username: holder.username,
    pid: holder.pid,
    system: holder.system,
  };
  const sealed = sealer.seal(encodeUnpacked(JSON.stringify(record), false));
  const own = id(hash('sha256', sealed, 'hex'));
  heldHere.add(own);
  try {
    await replica.store.put(objectKey('locks', own), sealed, { signal });
  } catch (error) {
    await removeLock(replica, { clock }, own); // it may be there although the storage said otherwise
    throw error;
  }
  return own;
}

/** Never rejects, and does not wait for a storage that is silent. */
async function removeLock(replica: Replica, { clock }: Pick<LockOptions, 'clock'>, lock: Id): Promise<void> {
  const patience = new AbortController();
  const timer = new AbortController();
  void clock.sleep(RELEASE_MS, timer.signal).then(
    () => patience.abort(),
    () => {},
  );
  await replica.store.delete(objectKey('locks', lock), { signal: patience.signal }).catch(() => {});
  timer.abort();
  heldHere.delete(lock);
}

async function refuseConflicts(replica: Replica, options: LockOptions, own: Id | undefined): Promise<void> {
  for (const object of await listAll(replica.store, 'locks/', { signal: options.signal })) {
    const other = idOfKey(object.key);
    if (other === undefined || other === own || object.size === 0) continue;
    const record = await readLock(replica, options, other);
    if (record === undefined) continue;
    if (isStale(other, record, options)) {
      await replica.store.delete(objectKey('locks', other), { signal: options.signal });
    } else if (record === 'unreadable' || record.exclusive || options.exclusive) {
      throw lockedBy(replica, record);
    }
  }
}

async function readLock(
  replica: Replica,
  { sealer, signal }: LockOptions,
  lock: Id,
): Promise<LockRecord | 'unreadable' | undefined> {
  try {
    const sealed = await replica.store.get(objectKey('locks', lock), undefined, { signal });
    return parseLock(decodeUnpacked(sealer.open(sealed)));
  } catch (error) {
    signal?.throwIfAborted();
    const failure = asFailure(error);
    if (failure.code === 'object_missing') return undefined;
    if (failure.retryable || failure.code === 'storage_refused') throw failure;
    return 'unreadable';
  }
}

function parseLock(json: string): LockRecord {
  const value = JSON.parse(json) as Record<string, unknown>;
  return {
    time: Date.parse(String(value.time)),
    exclusive: value.exclusive === true,
    hostname: String(value.hostname ?? ''),
    pid: Number(value.pid),
    system: typeof value.system === 'string' ? value.system : undefined,
  };
}

function isStale(lock: Id, record: LockRecord | 'unreadable', { clock, holder }: LockOptions): boolean {
  if (record === 'unreadable') return false;
  if (record.system === holder.system && record.hostname === holder.hostname) {
    return record.pid === holder.pid ? !heldHere.has(lock) : !holder.isAlive(record.pid);
  }
  return clock.now() - record.time > STALE_MS;
}

function lockedBy(replica: Replica, record: LockRecord | 'unreadable'): Failure {
  const who =
    record === 'unreadable'
      ? 'an unreadable lock'
      : `process ${record.pid} on ${record.hostname || 'an unnamed machine'} since ${new Date(record.time).toISOString()}${record.exclusive ? ' (exclusive)' : ''}`;
  return new Failure('locked', `${replica.name}: the repository is locked by ${who}.`, {
    hint: 'Wait until that run ends. A lock whose holder is gone is ignored after 30 minutes; "restic unlock" removes it at once.',
  });
}
