/**
 * The way of packs to one storage: a few at a time, with bounded memory, and without holding up the other storages.
 *
 *   accepted ──▶ stored            the usual way
 *       │  └───▶ failed            the storage gave up; all later packs fail at once
 *       └──────▶ deferred          its backlog is full and its patience used up: fetched later from a storage that has the pack
 */
import type { Clock } from '../base/clock.ts';
import { asFailure, type Failure } from '../base/failure.ts';
import type { Id } from '../base/ids.ts';
import { objectKey } from './keys.ts';
import type { Replica } from './replicas.ts';

/** Bytes that may wait for one storage. */
const BACKLOG = 64 * 1024 * 1024;
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
  storedBytes = 0;
  failure: Failure | undefined;
  readonly #options: UploadQueueOptions;
  #pendingBytes = 0;
  #running = 0;
  #patience = PATIENCE;
  readonly #waiting: (() => Promise<void>)[] = [];
  #room: (() => void)[] = [];

  constructor(replica: Replica, options: UploadQueueOptions) {
    this.replica = replica;
    this.#options = options;
  }

  get hasRoom(): boolean {
    return this.#pendingBytes < BACKLOG;
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
    if (this.failure !== undefined) return { settled: Promise.resolve() };
    this.#pendingBytes += bytes.length;
    const { promise: settled, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(() => this.#upload(id, bytes).finally(resolve));
    this.#pump();
    return { settled };
  }

  /** Resolves when nothing is pending any more. */
  async drained(): Promise<void> {
    while (this.#pendingBytes > 0) await new Promise<void>((resolve) => this.#room.push(resolve));
  }

  async #waitForRoom(): Promise<boolean> {
    const { clock, othersKeepUp } = this.#options;
    while (!this.hasRoom && this.failure === undefined) {
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
    const change = new Promise<void>((resolve) => this.#room.push(resolve));
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

  async #upload(id: Id, bytes: Uint8Array): Promise<void> {
    try {
      if (this.failure === undefined) {
        await this.replica.store.put(objectKey('data', id), bytes, { signal: this.#options.signal });
        this.storedBytes += bytes.length;
      }
    } catch (error) {
      this.failure ??= asFailure(error, 'storage_unreachable');
    } finally {
      this.#pendingBytes -= bytes.length;
      const waiting = this.#room;
      this.#room = [];
      for (const wake of waiting) wake();
    }
  }
}
