/**
 * Worker threads seen from the main thread: requests go to the least busy one, which answers them in order; answers come back as promises.
 * An error outside of requests, or a thread that ends, breaks the pool for good: everybody who waits is told.
 */
import type { Worker } from 'node:worker_threads';
import { Failure } from '../../base/failure.ts';

export interface Member {
  readonly worker: Worker;
  /** Cost of the work handed over and not answered, in the caller's measure: usually bytes. */
  load: number;
}

/** How a request is handed over. */
export interface Handing {
  readonly cost: number;
  /** Memory that the request gives away. */
  readonly transfer?: readonly ArrayBuffer[];
  /** The thread that must do it; default the least busy one. */
  readonly member?: Member;
}

export interface WorkerPoolOptions {
  readonly start: () => Worker;
  /** Threads at most. */
  readonly limit: number;
  /** Another thread is started when each has more than this waiting. */
  readonly busy: number;
  /** What the threads do, in one word before "worker": for messages. */
  readonly doing: string;
}

interface Waiter<Reply> {
  readonly member: Member;
  readonly cost: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
}

/** A request without its number. */
export type NewRequest<Request> = Request extends { readonly job: number } ? Omit<Request, 'job'> : never;

export class WorkerPool<Request extends { readonly job: number }, Reply extends { readonly job: number }> {
  readonly #options: WorkerPoolOptions;
  readonly #members: Member[] = [];
  readonly #waiters = new Map<number, Waiter<Reply>>();
  #relief: (() => void)[] = [];
  #nextJob = 1;
  #broken: unknown;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  /** Cost handed over and not answered, over all threads. */
  get load(): number {
    return this.#members.reduce((sum, member) => sum + member.load, 0);
  }

  /** The least busy thread, which may be a new one. Throws what broke the pool. */
  pick(): Member {
    if (this.#broken !== undefined) throw this.#broken;
    const [first, ...others] = this.#members;
    if (first === undefined) return this.#start();
    const least = others.reduce((best, member) => (member.load < best.load ? member : best), first);
    const { busy, limit } = this.#options;
    return least.load > busy && this.#members.length < limit ? this.#start() : least;
  }

  /** Rejects with what broke the pool, if something did. */
  async ask(request: NewRequest<Request>, { cost, transfer = [], member }: Handing): Promise<Reply> {
    if (this.#broken !== undefined) throw this.#broken;
    const chosen = member ?? this.pick();
    const job = this.#nextJob++;
    return new Promise((resolve, reject) => {
      this.#waiters.set(job, { member: chosen, cost, resolve, reject });
      chosen.load += cost;
      chosen.worker.postMessage({ ...request, job }, [...transfer]);
    });
  }

  /** Resolves once less than `cost` of work is waiting: what a producer awaits so that memory stays bounded. */
  async below(cost: number): Promise<void> {
    while (this.load >= cost && this.#broken === undefined)
      await new Promise<void>((resolve) => this.#relief.push(resolve));
    if (this.#broken !== undefined) throw this.#broken;
  }

  /** Breaks the pool: whoever waits is told `error`, and whoever asks from now on. The first error stays. */
  fail(error: unknown): void {
    this.#broken ??= error;
    for (const { reject } of this.#waiters.values()) reject(this.#broken);
    this.#waiters.clear();
    this.#wake();
  }

  async close(): Promise<void> {
    this.fail(new Failure('interrupted', `The ${this.#options.doing} workers were stopped.`));
    await Promise.all(this.#members.map(({ worker }) => worker.terminate()));
  }

  #start(): Member {
    const member: Member = { worker: this.#options.start(), load: 0 };
    member.worker.on('message', (reply: Reply) => this.#receive(reply));
    member.worker.on('error', (error) => this.fail(error));
    member.worker.on('exit', () => {
      this.fail(new Failure('internal', `A thread ended early: a ${this.#options.doing} worker.`));
    });
    this.#members.push(member);
    return member;
  }

  /** Messages that answer no request are their worker's own business: see `start`. */
  #receive(reply: Reply): void {
    const waiter = this.#waiters.get(reply.job);
    if (waiter === undefined) return;
    this.#waiters.delete(reply.job);
    waiter.member.load -= waiter.cost;
    this.#wake();
    waiter.resolve(reply);
  }

  #wake(): void {
    const waiting = this.#relief;
    this.#relief = [];
    for (const resolve of waiting) resolve();
  }
}

/** The memory of `bytes` where it may be given away: when nothing else lies in it. */
export function ownMemory(bytes: Uint8Array): ArrayBuffer[] {
  const { buffer } = bytes;
  return buffer instanceof ArrayBuffer && bytes.byteLength === buffer.byteLength ? [buffer] : [];
}
