/** The time of a point: when its sources had been read, by a clock that may jump. */
import type { Clock } from '../../base/clock.ts';

/** A clock that is at most this far behind the newest point (ms) was set back a little: order counts more than its word. */
const SET_BACK_MS = 24 * 60 * 60_000;

export interface RunClock {
  /** Milliseconds since the epoch. Grows by the time that really passed, whatever becomes of the machine's clock during the run. */
  now(): number;
  /** The clock is far behind the newest point: one of the two times is wrong. */
  readonly isFarBehind: boolean;
}

/** `newestMs` is the time of the newest point there is; points made after it are dated after it. */
export function runClock(clock: Clock, newestMs: number | undefined): RunClock {
  const [wall, monotonic] = [clock.now(), clock.monotonic()];
  const behind = newestMs === undefined ? 0 : newestMs + 1 - wall;
  const start = behind > 0 && behind <= SET_BACK_MS ? wall + behind : wall;
  return { now: () => Math.round(start + clock.monotonic() - monotonic), isFarBehind: behind > SET_BACK_MS };
}
