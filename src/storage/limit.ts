/**
 * Bounds what one storage is asked at once (requests) and per second (bytes). Bandwidth is kept on average over objects: an object is
 * never split, the next one waits until the earlier ones are paid for.
 */
import { type Clock, systemClock } from '../base/clock.ts';
import { totalBytes } from './bytes.ts';
import { eachPage, forward } from './forward.ts';
import type { ObjectStore } from './object-store.ts';
import { Places } from './places.ts';

export interface LimitOptions {
  /** Requests at the same time; default 8. */
  readonly connections?: number;
  /** Bytes per second put; default unbounded. */
  readonly uploadLimit?: number;
  /** Bytes per second got; default unbounded. */
  readonly downloadLimit?: number;
  readonly clock?: Clock;
}

export function withLimit(store: ObjectStore, options: LimitOptions = {}): ObjectStore {
  const { connections = 8, uploadLimit, downloadLimit, clock = systemClock } = options;
  const places = new Places(connections);
  const up = new Pace(uploadLimit, clock);
  const down = new Pace(downloadLimit, clock);
  return {
    ...forward(store),
    put: async (key, parts, call) => {
      await up.wait(call?.signal);
      up.charge(totalBytes(parts));
      await places.run(call?.signal, () => store.put(key, parts, call));
    },
    get: async (key, range, call) => {
      await down.wait(call?.signal);
      const bytes = await places.run(call?.signal, () => store.get(key, range, call));
      down.charge(bytes.byteLength);
      return bytes;
    },
    stat: (key, call) => places.run(call?.signal, () => store.stat(key, call)),
    list: (prefix, call) => eachPage(store.list(prefix, call), (fetch) => places.run(call?.signal, fetch)),
    delete: (key, call) => places.run(call?.signal, () => store.delete(key, call)),
    retain: (key, until, call) => places.run(call?.signal, () => store.retain(key, until, call)),
  };
}

/** Keeps an average rate: each charge moves the moment from which the next one may go. */
class Pace {
  readonly #bytesPerSecond: number | undefined;
  readonly #clock: Clock;
  #paidUntil = Number.NEGATIVE_INFINITY;

  constructor(bytesPerSecond: number | undefined, clock: Clock) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#clock = clock;
  }

  /** Resolves once everything charged before is paid for. */
  async wait(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    for (let rest = this.#rest(); rest > 0; rest = this.#rest()) await this.#clock.sleep(rest, signal);
  }

  charge(bytes: number): void {
    if (this.#bytesPerSecond === undefined) return;
    this.#paidUntil = Math.max(this.#paidUntil, this.#clock.monotonic()) + (bytes / this.#bytesPerSecond) * 1000;
  }

  #rest(): number {
    return this.#bytesPerSecond === undefined ? 0 : this.#paidUntil - this.#clock.monotonic();
  }
}
