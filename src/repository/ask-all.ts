/**
 * Asks all storages the same at once. Tries again and again hold up a start for minutes when a storage is silent; so once one storage has
 * answered well, the others have only a little longer, and those that are silent even then are given up by name.
 */
import type { Clock } from '../base/clock.ts';
import { Failure } from '../base/failure.ts';
import type { Replica } from './replicas.ts';

/** How much longer than the quickest the others may take, in ms. */
const GRACE_MS = 10_000;

export interface Question<T> {
  readonly clock: Clock;
  /** The operator's. */
  readonly signal: AbortSignal | undefined;
  /** Asks one storage. What goes wrong with it is an answer; `signal` fires when nobody waits for it any more. */
  readonly ask: (replica: Replica, signal: AbortSignal) => Promise<T>;
  /** Whether a storage that answers so can be used. */
  readonly isGood: (answer: T) => boolean;
  /** What stands for the answer of a storage that was given up. */
  readonly silent: (replica: Replica, failure: Failure) => T;
}

/** The answers in the order of `replicas`. Rejects with what `ask` rejects with. */
export async function askAll<T>(replicas: readonly Replica[], question: Question<T>): Promise<T[]> {
  const { clock, signal, ask, isGood, silent } = question;
  const over = new AbortController();
  const timer = new AbortController();
  const both = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
  const startTimer = () => {
    clock.sleep(GRACE_MS, timer.signal).then(
      () => over.abort(),
      () => {},
    );
  };
  let isStarted = false;
  const one = async (replica: Replica): Promise<T> => {
    const answer = ask(replica, both);
    const first = await Promise.race([answer, firing(over.signal)]);
    if (first === SILENT || (over.signal.aborted && !isGood(first))) {
      answer.catch(() => {}); // nobody waits for it
      return silent(replica, tooSlow(replica));
    }
    if (!isStarted && isGood(first)) {
      isStarted = true;
      startTimer();
    }
    return first;
  };
  try {
    return await Promise.all(replicas.map(one));
  } finally {
    timer.abort();
  }
}

const SILENT = Symbol('silent');

function firing(signal: AbortSignal): Promise<typeof SILENT> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(SILENT), { once: true }));
}

function tooSlow({ name }: Replica): Failure {
  const seconds = GRACE_MS / 1000;
  return new Failure('storage_unreachable', `${name}: no answer ${seconds} s after another storage had answered.`, {
    hint: 'Look at the disk, the network mount or the network behind this storage. "holdfast sync" brings it what it lacks.',
  });
}
