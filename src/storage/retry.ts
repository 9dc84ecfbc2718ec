/**
 * Tries again what may succeed the next time: exponential backoff with full jitter, only for failures that say so.
 *
 * A put whose reply was lost may have stored the object. Putting the same bytes again is harmless, except with `ifAbsent`: then the second
 * try finds its own first one, so the object is read back and compared.
 */
import { type Clock, systemClock } from '../base/clock.ts';
import { Failure, isFailure } from '../base/failure.ts';
import { joinParts, type Parts, partList } from './bytes.ts';
import { forward } from './forward.ts';
import type { CallOptions, ObjectInfo, ObjectStore, PutOptions } from './object-store.ts';

export interface RetryOptions {
  readonly clock?: Clock;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
  /** Tries in all, at least 1. Default 6. */
  readonly attempts?: number;
  /** Upper bound of the first pause in ms; doubles with every further one. Default 250. */
  readonly firstPause?: number;
  /** No pause is longer than this, in ms. Default 15,000. */
  readonly longestPause?: number;
  /** Told before each pause. */
  readonly onRetry?: (event: RetryEvent) => void;
}

export interface RetryEvent {
  readonly storage: string;
  /** The try that failed, from 1. */
  readonly attempt: number;
  readonly error: Failure;
  /** Pause before the next try, in ms. */
  readonly pause: number;
}

export function withRetry(store: ObjectStore, options: RetryOptions = {}): ObjectStore {
  const tries = new Tries(store.name, options);
  return {
    ...forward(store),
    put: (key, parts, call) => tries.run(call, (attempt) => putOnce(store, { key, parts, call, attempt })),
    get: (key, range, call) => tries.run(call, () => store.get(key, range, call)),
    stat: (key, call) => tries.run(call, () => store.stat(key, call)),
    list: (prefix, call) => listAgain(store, tries, prefix, call),
    delete: (key, call) => tries.run(call, () => store.delete(key, call)),
    retain: (key, until, call) => tries.run(call, () => store.retain(key, until, call)),
  };
}

/** Runs one call until it succeeds, fails for good, or the tries are used up. */
class Tries {
  readonly #storage: string;
  readonly #options: Required<Omit<RetryOptions, 'onRetry'>> & Pick<RetryOptions, 'onRetry'>;

  constructor(storage: string, options: RetryOptions) {
    const defaults = { clock: systemClock, random: Math.random, attempts: 6, firstPause: 250, longestPause: 15_000 };
    this.#storage = storage;
    this.#options = { ...defaults, ...options };
  }

  async run<T>(call: CallOptions | undefined, once: (attempt: number) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(attempt);
      } catch (error) {
        if (!isWorthAnother(error, call)) throw error;
        if (attempt >= this.#options.attempts) throw exhausted(error, attempt);
        await this.#pause(error, attempt, call?.signal);
      }
    }
  }

  async #pause(error: Failure, attempt: number, signal: AbortSignal | undefined): Promise<void> {
    const { clock, random, firstPause, longestPause, onRetry } = this.#options;
    const pause = Math.floor(random() * Math.min(longestPause, firstPause * 2 ** (attempt - 1)));
    onRetry?.({ storage: this.#storage, attempt, error, pause });
    await clock.sleep(pause, signal);
  }
}

function isWorthAnother(error: unknown, call: CallOptions | undefined): error is Failure {
  return isFailure(error) && error.retryable && !call?.signal?.aborted;
}

function exhausted(error: Failure, attempts: number): Failure {
  if (attempts === 1) return error;
  return new Failure(error.code, `${error.message.replace(/\.$/, '')} (tried ${attempts} times).`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
    details: { ...error.details, attempts },
  });
}

interface PutCall {
  readonly key: string;
  readonly parts: Parts;
  readonly call: PutOptions | undefined;
  readonly attempt: number;
}

async function putOnce(store: ObjectStore, { key, parts, call, attempt }: PutCall): Promise<void> {
  try {
    await store.put(key, parts, call);
  } catch (error) {
    if (attempt === 1 || !isFailure(error, 'object_exists')) throw error;
    if (!(await holds(store, key, parts, call))) throw error;
  }
}

async function holds(store: ObjectStore, key: string, parts: Parts, call: CallOptions | undefined): Promise<boolean> {
  const there = await store.get(key, undefined, { signal: call?.signal });
  return Buffer.compare(there, joinParts(partList(parts))) === 0;
}

/** Lists again from the beginning when a page fails, leaving out what was shown already: a page cannot be asked for twice. */
async function* listAgain(
  store: ObjectStore,
  tries: Tries,
  prefix: string,
  call: CallOptions | undefined,
): AsyncGenerator<readonly ObjectInfo[]> {
  const listing = new Listing(() => store.list(prefix, call));
  try {
    for (;;) {
      const page = await tries.run(call, () => listing.next());
      if (!page) return;
      yield page;
    }
  } finally {
    await listing.stop();
  }
}

/** One listing with as many beginnings as it takes. Remembers the keys it has shown: about 150 bytes each while it lasts. */
class Listing {
  readonly #open: () => AsyncIterable<readonly ObjectInfo[]>;
  readonly #shown = new Set<string>();
  #pages: AsyncIterator<readonly ObjectInfo[]> | undefined;

  constructor(open: () => AsyncIterable<readonly ObjectInfo[]>) {
    this.#open = open;
  }

  /** The next page of keys that were not shown yet, or undefined at the end. After an error it can be called again. */
  async next(): Promise<readonly ObjectInfo[] | undefined> {
    this.#pages ??= this.#open()[Symbol.asyncIterator]();
    try {
      for (;;) {
        const page = await this.#pages.next();
        if (page.done) return undefined;
        const fresh = page.value.filter(({ key }) => !this.#shown.has(key));
        for (const { key } of fresh) this.#shown.add(key);
        if (fresh.length > 0) return fresh;
      }
    } catch (error) {
      this.#pages = undefined;
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.#pages?.return?.();
  }
}
