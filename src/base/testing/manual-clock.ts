/** Time that moves only when a test says so. */
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../clock.ts';

export interface ManualClock extends Clock {
  /** Moves time on, waking each sleeper at its moment and letting what it started run until it waits again. */
  advance(ms: number): Promise<void>;
  /** Whoever sleeps now, by the milliseconds that are left. */
  readonly sleeping: readonly number[];
}

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** `start` in ms since the epoch. */
export function manualClock(start: number = Date.UTC(2026, 0, 1)): ManualClock {
  let elapsed = 0;
  const sleepers = new Set<Sleeper>();
  const next = () => [...sleepers].sort((a, b) => a.until - b.until)[0];
  return {
    now: () => start + elapsed,
    monotonic: () => elapsed,
    get sleeping() {
      return [...sleepers].map(({ until }) => until - elapsed);
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const sleeper: Sleeper = { until: elapsed + ms, wake: () => finish(resolve) };
        const abort = () => finish(() => reject(signal?.reason));
        function finish(how: () => void) {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', abort);
          how();
        }
        sleepers.add(sleeper);
        signal?.addEventListener('abort', abort, { once: true });
      }),
    advance: async (ms) => {
      const target = elapsed + ms;
      await setImmediate();
      for (let due = next(); due && due.until <= target; due = next()) {
        elapsed = Math.max(elapsed, due.until);
        due.wake();
        await setImmediate();
      }
      elapsed = target;
    },
  };
}

/** A clock on which nobody waits: every sleep moves time on at once. `slept` are the durations in ms. */
export function hurryingClock(start: number = Date.UTC(2026, 0, 1)): Clock & { readonly slept: number[] } {
  let elapsed = 0;
  const slept: number[] = [];
  return {
    slept,
    now: () => start + elapsed,
    monotonic: () => elapsed,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      slept.push(ms);
      elapsed += ms;
    },
  };
}
