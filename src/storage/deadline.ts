/**
 * No call waits for ever. A call that outlives its time is abandoned and fails with `storage_unreachable`; whatever it was doing is told
 * by its signal and must then leave no object behind.
 */
import { type Clock, systemClock } from '../base/clock.ts';
import { Failure } from '../base/failure.ts';
import { totalBytes } from './bytes.ts';
import { eachPage, forward } from './forward.ts';
import type { CallOptions, ObjectStore } from './object-store.ts';

export interface Patience {
  /** Time every call has, in ms. */
  readonly base: number;
  /** The slowest rate that is waited for, in bytes per second: an object of n bytes has n / slowest seconds more. */
  readonly slowest: number;
}

/** For disks and network mounts: a minute, and a mebibyte per second. */
const LOCAL_PATIENCE: Patience = { base: 60_000, slowest: 1024 * 1024 };

/** A read of a whole object whose size nobody knows yet counts as one of this size, in bytes. */
const UNKNOWN_SIZE = 256 * 1024 * 1024;

export interface DeadlineOptions {
  readonly clock?: Clock;
  readonly patience?: Patience;
}

type Within = <T>(
  bytes: number,
  call: CallOptions | undefined,
  work: (signal: AbortSignal) => Promise<T>,
) => Promise<T>;

/** Gives every call of `store` a deadline. */
export function withDeadline(store: ObjectStore, options: DeadlineOptions = {}): ObjectStore {
  const { clock = systemClock, patience = LOCAL_PATIENCE } = options;
  const within: Within = (bytes, call, work) =>
    underDeadline(
      { storage: store.name, clock, ms: patienceFor(patience, bytes), signal: call?.signal },
      ({ signal }) => work(signal),
    );
  return {
    ...forward(store),
    ...(store.mountPoint === undefined
      ? {}
      : { mountPoint: (call) => within(0, call, async (signal) => await store.mountPoint?.({ ...call, signal })) }),
    put: (key, parts, call) => within(totalBytes(parts), call, (signal) => store.put(key, parts, { ...call, signal })),
    get: (key, range, call) =>
      within(range?.length ?? UNKNOWN_SIZE, call, (signal) => store.get(key, range, { ...call, signal })),
    stat: (key, call) => within(0, call, (signal) => store.stat(key, { ...call, signal })),
    list: (prefix, call) => listWithin(store, prefix, call, within),
    delete: (key, call) => within(0, call, (signal) => store.delete(key, { ...call, signal })),
    retain: (key, until, call) => within(0, call, (signal) => store.retain(key, until, { ...call, signal })),
  };
}

/** Each page has its own deadline. */
function listWithin(store: ObjectStore, prefix: string, call: CallOptions | undefined, within: Within) {
  const abandoned = new AbortController();
  const signal = call?.signal ? AbortSignal.any([call.signal, abandoned.signal]) : abandoned.signal;
  return eachPage(store.list(prefix, { signal }), (fetch) =>
    within(0, call, (late) => {
      late.addEventListener('abort', () => abandoned.abort(late.reason), { once: true });
      return fetch();
    }),
  );
}

/** How long a call that moves `bytes` may take, in ms. */
export function patienceFor(patience: Patience, bytes: number): number {
  return patience.base + (bytes / patience.slowest) * 1000;
}

export interface DeadlineRequest {
  readonly storage: string;
  readonly clock: Clock;
  /** Time the call has, in ms. */
  readonly ms: number;
  /** The caller's own signal. */
  readonly signal: AbortSignal | undefined;
}

export interface Deadline {
  /** Fires when the time is over or the caller gives up. */
  readonly signal: AbortSignal;
  /** Gives the call `ms` from now on, for when its size becomes known. */
  restart(ms: number): void;
}

/** Runs `work` and rejects when its time is over, even if `work` does not notice. */
export async function underDeadline<T>(
  { storage, clock, ms, signal }: DeadlineRequest,
  work: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const abandon = new AbortController();
  const timer = new Timer(clock, (waited) => abandon.abort(tooSlow(storage, waited)));
  const forwardAbort = () => abandon.abort(signal?.reason);
  signal?.addEventListener('abort', forwardAbort, { once: true });
  timer.restart(ms);
  try {
    const deadline = { signal: abandon.signal, restart: (more: number) => timer.restart(more) };
    return await Promise.race([work(deadline), rejectionOf(abandon.signal)]);
  } finally {
    timer.stop();
    signal?.removeEventListener('abort', forwardAbort);
  }
}

function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Why a timer that was stopped does not fire; nobody sees it. Made once: an error for each call would cost more than the call. */
const STOPPED = new Error('The call has ended.');

/** Calls `expire` once the time of the last `restart` is over. */
class Timer {
  readonly #clock: Clock;
  readonly #expire: (ms: number) => void;
  #running: AbortController | undefined;

  constructor(clock: Clock, expire: (ms: number) => void) {
    this.#clock = clock;
    this.#expire = expire;
  }

  restart(ms: number): void {
    this.stop();
    const running = new AbortController();
    this.#running = running;
    this.#clock.sleep(ms, running.signal).then(
      () => this.#expire(ms),
      () => {},
    );
  }

  stop(): void {
    this.#running?.abort(STOPPED);
    this.#running = undefined;
  }
}

function tooSlow(storage: string, ms: number): Failure {
  return new Failure('storage_unreachable', `${storage}: no answer within ${Math.round(ms / 1000)} s.`, {
    hint: 'Look at the disk, the network mount or the network behind this storage.',
  });
}
