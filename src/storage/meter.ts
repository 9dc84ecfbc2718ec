/** Counts what a storage is asked and how it answers: requests, failures, bytes, time. */
import { type Clock, systemClock } from '../base/clock.ts';
import { totalBytes } from './bytes.ts';
import { eachPage, forward } from './forward.ts';
import type { ObjectStore } from './object-store.ts';

export type Operation = 'put' | 'get' | 'stat' | 'list' | 'delete' | 'retain';

export interface OperationCount {
  readonly requests: number;
  /** Requests that ended with an error; `object_missing` and `object_exists` are answers, yet count here. */
  readonly failures: number;
  /** Payload bytes of the requests that succeeded. */
  readonly bytes: number;
  /** Sum and maximum of the time requests took, in ms, failed ones included. */
  readonly totalMs: number;
  readonly longestMs: number;
}

export type MeterSnapshot = Readonly<Record<Operation, OperationCount>>;

export interface MeteredStore extends ObjectStore {
  /** The counts so far; a copy that does not change. */
  meter(): MeterSnapshot;
}

export function withMeter(store: ObjectStore, clock: Clock = systemClock): MeteredStore {
  const counts = new Counts(clock);
  return {
    ...forward(store),
    put: (key, parts, call) =>
      counts.count(
        'put',
        () => store.put(key, parts, call),
        () => totalBytes(parts),
      ),
    get: (key, range, call) =>
      counts.count(
        'get',
        () => store.get(key, range, call),
        (bytes) => bytes.byteLength,
      ),
    stat: (key, call) => counts.count('stat', () => store.stat(key, call)),
    list: (prefix, call) => eachPage(store.list(prefix, call), (fetch) => counts.count('list', fetch)),
    delete: (key, call) => counts.count('delete', () => store.delete(key, call)),
    retain: (key, until, call) => counts.count('retain', () => store.retain(key, until, call)),
    meter: () => counts.snapshot(),
  };
}

type Tally = { -readonly [K in keyof OperationCount]: OperationCount[K] };

class Counts {
  readonly #clock: Clock;
  readonly #tallies: Record<Operation, Tally> = {
    put: zero(),
    get: zero(),
    stat: zero(),
    list: zero(),
    delete: zero(),
    retain: zero(),
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async count<T>(operation: Operation, work: () => Promise<T>, size: (result: T) => number = () => 0): Promise<T> {
    const tally = this.#tallies[operation];
    const begun = this.#clock.monotonic();
    tally.requests++;
    try {
      const result = await work();
      tally.bytes += size(result);
      return result;
    } catch (error) {
      tally.failures++;
      throw error;
    } finally {
      const took = this.#clock.monotonic() - begun;
      tally.totalMs += took;
      tally.longestMs = Math.max(tally.longestMs, took);
    }
  }

  snapshot(): MeterSnapshot {
    return structuredClone(this.#tallies);
  }
}

function zero(): Tally {
  return { requests: 0, failures: 0, bytes: 0, totalMs: 0, longestMs: 0 };
}
