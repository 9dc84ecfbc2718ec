/**
 * A storage that fails on purpose: wraps a real one and breaks chosen calls in the ways storages break.
 *
 *     const store = faultStore(memoryStore());
 *     const rule = store.inject({ on: 'put', key: /^data\//, times: 2, fault: { kind: 'loseReply' } });
 *     …
 *     assert.equal(rule.hits, 2);
 *
 * Rules are tried in the order in which they were injected; the first that matches and is not used up decides.
 */
import { type Clock, systemClock } from '../../base/clock.ts';
import { Failure, type FailureCode } from '../../base/failure.ts';
import { totalBytes } from '../bytes.ts';
import { eachPage, forward } from '../forward.ts';
import type { Operation } from '../meter.ts';
import type { CallOptions, ObjectStore } from '../object-store.ts';

export type Fault =
  /** Nothing is done. Default failure: `storage_unreachable`. */
  | { readonly kind: 'fail'; readonly code?: FailureCode }
  /** It is done, and then the answer is lost. */
  | { readonly kind: 'loseReply' }
  /** Never answers; rejects when the signal fires. */
  | { readonly kind: 'hang' }
  /** Answers `ms` later. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** A read brings only the first `keep` bytes, and nobody says so. */
  | { readonly kind: 'truncate'; readonly keep: number }
  /** A read brings one wrong bit, in the byte at `offset` (default the middle). */
  | { readonly kind: 'flipBit'; readonly offset?: number }
  /** A listing misses what the last `puts` puts stored. */
  | { readonly kind: 'staleList'; readonly puts: number }
  /** Puts fail with `storage_full` once `bytes` have been stored since the rule began. */
  | { readonly kind: 'full'; readonly bytes: number };

export interface FaultRule {
  /** Operations it applies to; default all. */
  readonly on?: Operation | readonly Operation[];
  /** Keys (or listing prefixes) it applies to; default all. */
  readonly key?: RegExp | string;
  /** Matching calls that pass unharmed first; default 0. */
  readonly skip?: number;
  /** Calls it breaks before it is used up; default without end. */
  readonly times?: number;
  readonly fault: Fault;
}

export interface InjectedRule {
  /** How often it broke a call. */
  readonly hits: number;
  remove(): void;
}

export interface FaultStore extends ObjectStore {
  inject(rule: FaultRule): InjectedRule;
  /** Removes every rule: the storage has recovered. */
  recover(): void;
}

export function faultStore(store: ObjectStore, clock: Clock = systemClock): FaultStore {
  const rules = new Rules();
  const recent: string[] = [];
  const call = async <T>(
    on: Operation,
    key: string,
    options: CallOptions | undefined,
    work: () => Promise<T>,
    size = 0,
  ) => {
    const fault = rules.next(on, key, size);
    return breakCall({ storage: store.name, clock, fault, signal: options?.signal }, work);
  };
  return {
    ...forward(store),
    put: async (key, parts, options) => {
      const put = () => store.put(key, parts, options).then(() => void recent.push(key));
      await call('put', key, options, put, totalBytes(parts));
    },
    get: async (key, range, options) => {
      const fault = rules.next('get', key, 0);
      const frame = { storage: store.name, clock, fault, signal: options?.signal };
      return spoil(fault, await breakCall(frame, () => store.get(key, range, options)));
    },
    stat: (key, options) => call('stat', key, options, () => store.stat(key, options)),
    list: async function* (prefix, options) {
      const fault = rules.next('list', prefix, 0);
      const hidden = new Set(fault?.kind === 'staleList' ? recent.slice(-fault.puts) : []);
      const frame = { storage: store.name, clock, fault, signal: options?.signal };
      for await (const page of eachPage(store.list(prefix, options), (fetch) => breakCall(frame, fetch))) {
        yield page.filter(({ key }) => !hidden.has(key));
      }
    },
    delete: (key, options) => call('delete', key, options, () => store.delete(key, options)),
    retain: (key, until, options) => call('retain', key, options, () => store.retain(key, until, options)),
    inject: (rule) => rules.add(rule),
    recover: () => rules.clear(),
  };
}

interface Frame {
  readonly storage: string;
  readonly clock: Clock;
  readonly fault: Fault | undefined;
  readonly signal: AbortSignal | undefined;
}

async function breakCall<T>({ storage, clock, fault, signal }: Frame, work: () => Promise<T>): Promise<T> {
  switch (fault?.kind) {
    case 'fail':
      throw new Failure(fault.code ?? 'storage_unreachable', `${storage}: broken on purpose.`);
    case 'full':
      throw new Failure('storage_full', `${storage}: full on purpose.`);
    case 'loseReply':
      await work();
      throw new Failure('storage_unreachable', `${storage}: the reply was lost on purpose.`);
    case 'hang':
      return await forEver(signal);
    case 'delay':
      await clock.sleep(fault.ms, signal);
      return await work();
    default:
      return await work();
  }
}

function forEver(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function spoil(fault: Fault | undefined, bytes: Uint8Array): Uint8Array {
  if (fault?.kind === 'truncate') return bytes.slice(0, fault.keep);
  if (fault?.kind !== 'flipBit' || bytes.byteLength === 0) return bytes;
  const offset = fault.offset ?? bytes.byteLength >> 1;
  bytes[offset] = (bytes[offset] ?? 0) ^ 1;
  return bytes;
}

/** Which calls a fault can happen to, where that is not all of them. */
const ONLY_ON: Partial<Record<Fault['kind'], Operation>> = {
  truncate: 'get',
  flipBit: 'get',
  staleList: 'list',
  full: 'put',
};

class Rules {
  #active: ActiveRule[] = [];

  add(rule: FaultRule): InjectedRule {
    const active = new ActiveRule(rule);
    this.#active.push(active);
    return {
      get hits() {
        return active.hits;
      },
      remove: () => {
        this.#active = this.#active.filter((other) => other !== active);
      },
    };
  }

  clear(): void {
    this.#active = [];
  }

  next(on: Operation, key: string, size: number): Fault | undefined {
    return this.#active.find((rule) => rule.strikes(on, key, size))?.rule.fault;
  }
}

class ActiveRule {
  readonly rule: FaultRule;
  hits = 0;
  #seen = 0;
  #stored = 0;

  constructor(rule: FaultRule) {
    this.rule = rule;
  }

  strikes(on: Operation, key: string, size: number): boolean {
    const { skip = 0, times = Number.POSITIVE_INFINITY, fault } = this.rule;
    if (!this.#matches(on, key) || this.hits >= times) return false;
    if (this.#seen++ < skip) return false;
    if (fault.kind === 'full' && this.#stored + size <= fault.bytes) {
      this.#stored += size;
      return false;
    }
    this.hits++;
    return true;
  }

  #matches(on: Operation, key: string): boolean {
    const { on: wanted, key: pattern, fault } = this.rule;
    const only = ONLY_ON[fault.kind];
    if (only !== undefined && only !== on) return false;
    if (wanted !== undefined && ![wanted].flat().includes(on)) return false;
    if (pattern === undefined) return true;
    return typeof pattern === 'string' ? key === pattern : pattern.test(key);
  }
}
