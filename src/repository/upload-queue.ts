/**
 * The way of packs to one storage: a few at a time, with bounded memory, and without holding up the other storages.
 *
 *   accepted ──▶ stored            the usual way
 *       │  └───▶ failed            the storage gave up; all later packs fail at once
 *       └──────▶ deferred          its backlog is full and its patience used up: fetched later from a storage that has the pack
 */
import type { Clock } from '../base/clock.ts';
import { asFailure, Failure } from '../base/failure.ts';
import type { Id } from '../base/ids.ts';
import { objectKey } from './keys.ts';
import type { Replica } from './replicas.ts';

/** Bytes that may wait for one storage. */
const BACKLOG = 32 * 1024 * 1024;
/** How long, in all, one run waits for a storage that lags behind the others (milliseconds). */
const PATIENCE = 15_000;
const CONCURRENCY = 3;

export interface UploadQueueOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Whether another storage keeps up, so that this one may be left behind. */
  readonly othersKeepUp: (queue: UploadQueue) => boolean;
}

export class UploadQueue {
  readonly replica: Replica;
  /** Packs this storage still has to get from another one. */
  readonly deferred = new Set<Id>();
  readonly #options: UploadQueueOptions;
  readonly #stopped = new AbortController();
  /** Fires when the run is over for this storage: interrupted, failed, or stopped. */
  readonly signal: AbortSignal;
  /** What became of each accepted pack: whether it is stored. */
  readonly #outcomes = new Map<Id, Promise<boolean>>();
  readonly #stored = new Set<Id>();
  readonly #waiting: (() => Promise<void>)[] = [];
  #failure: Failure | undefined;
  #pendingBytes = 0;
  #running = 0;
  #patience = PATIENCE;
  #listeners: (() => void)[] = [];

  constructor(replica: Replica, options: UploadQueueOptions) {
    this.replica = replica;
    this.#options = options;
    this.signal = AbortSignal.any([options.signal, this.#stopped.signal]);
  }

  get hasRoom(): boolean {
    return this.#pendingBytes < BACKLOG;
  }

  /** Why this storage has no part in the run any more. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** Gives the storage up: what waits is dropped, what is under way is abandoned. The first reason counts. */
  fail(failure: Failure): void {
    this.#failure ??= failure;
    this.#stopped.abort(this.#failure);
    this.#tell();
  }

  /**
   * Takes a pack; resolves once it is accepted, deferred or refused, that is when the caller may go on producing. `settled` follows when the
   * bytes are no longer needed here.
   */
  async accept(id: Id, bytes: Uint8Array): Promise<{ readonly settled: Promise<void> }> {
    if (!this.hasRoom && !(await this.#waitForRoom())) {
      this.deferred.add(id);
      return { settled: Promise.resolve() };
    }
    if (this.#failure !== undefined) return { settled: Promise.resolve() };
    this.#pendingBytes += bytes.length;
    const { promise: outcome, resolve } = Promise.withResolvers<boolean>();
    this.#outcomes.set(id, outcome);
    this.#waiting.push(async () => resolve(await this.#upload(id, bytes)));
    this.#pump();
    return { settled: outcome.then(() => {}) };
  }

  /** Whether the storage holds the pack; waits while it is on its way. */
  async holds(id: Id): Promise<boolean> {
    return this.#stored.has(id) || ((await this.#outcomes.get(id)) ?? false);
  }

  /** Whether the storage holds the pack by now. */
  hasStored(id: Id): boolean {
    return this.#stored.has(id);
  }

  /** The pack came another way. */
  received(id: Id): void {
    this.deferred.delete(id);
    this.#stored.add(id);
  }

  /** Resolves when nothing is pending any more. */
  async drained(): Promise<void> {
    while (this.#pendingBytes > 0) await new Promise<void>((resolve) => this.#listeners.push(resolve));
  }

  async #waitForRoom(): Promise<boolean> {
    const { clock, othersKeepUp } = this.#options;
    while (!this.hasRoom && this.#failure === undefined) {
      const mayLeave = othersKeepUp(this);
      if (mayLeave && this.#patience <= 0) return false;
      const start = clock.monotonic();
      await this.#nextChange(mayLeave ? Math.min(this.#patience, 1000) : 1000);
      if (mayLeave) this.#patience -= clock.monotonic() - start;
    }
    return true;
  }

  async #nextChange(atMost: number): Promise<void> {
    const timer = new AbortController();
    const change = new Promise<void>((resolve) => this.#listeners.push(resolve));
    await Promise.race([change, this.#options.clock.sleep(atMost, timer.signal).catch(() => {})]);
    timer.abort();
  }

  #pump(): void {
    while (this.#running < CONCURRENCY) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#running++;
      void next().finally(() => {
        this.#running--;
        this.#pump();
      });
    }
  }

  /** Never rejects: what goes wrong is the failure of the storage. */
  async #upload(id: Id, bytes: Uint8Array): Promise<boolean> {
    try {
      if (this.#failure !== undefined) return false;
      await this.replica.store.put(objectKey('data', id), bytes, { signal: this.signal });
      this.#stored.add(id);
      return true;
    } catch (error) {
      this.fail(this.#options.signal.aborted ? interrupted(error) : asFailure(error, 'storage_unreachable'));
      return false;
    } finally {
      this.#pendingBytes -= bytes.length;
      this.#tell();
    }
  }

  #tell(): void {
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const wake of listeners) wake();
  }
}

function interrupted(cause: unknown): Failure {
  return new Failure('interrupted', 'Interrupted.', { cause });
}
