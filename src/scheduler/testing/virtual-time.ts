/** Time for simulations of many processes: jumps from one sleeper to the next; a process can be killed or paused with all that it waits for. */
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../base/clock.ts';

interface Sleeper {
  at: number;
  readonly order: number;
  readonly owner: VirtualProcess;
  wake: (() => void) | undefined;
}

export class VirtualTime {
  #now: number;
  #count = 0;
  readonly #heap: Sleeper[] = [];

  constructor(start: number) {
    this.#now = start;
  }

  get now(): number {
    return this.#now;
  }

  process(): VirtualProcess {
    return new VirtualProcess(this);
  }

  /** Wakes whoever sleeps until then, in order, each time letting everything come to rest. */
  async runUntil(end: number): Promise<void> {
    await atRest();
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#now = Math.max(this.#now, next.at);
      for (let due = this.#heap[0]; due !== undefined && due.at <= this.#now; due = this.#heap[0])
        this.#wake(this.#pop());
      await atRest();
    }
    this.#now = end;
  }

  /** For processes. */
  add(at: number, owner: VirtualProcess, wake: () => void): Sleeper {
    const sleeper: Sleeper = { at, order: this.#count++, owner, wake };
    this.#push(sleeper);
    return sleeper;
  }

  #wake(sleeper: Sleeper): void {
    const { owner, wake } = sleeper;
    if (wake === undefined || owner.isDead) return;
    if (owner.pausedUntil <= this.#now) {
      wake();
    } else {
      sleeper.at = owner.pausedUntil;
      this.#push(sleeper);
    }
  }

  #push(sleeper: Sleeper): void {
    const heap = this.#heap;
    heap.push(sleeper);
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent]!, heap[at]!)) return;
      [heap[parent], heap[at]] = [heap[at]!, heap[parent]!];
      at = parent;
    }
  }

  #pop(): Sleeper {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    heap[0] = last;
    for (let at = 0; ; ) {
      const children = [2 * at + 1, 2 * at + 2].filter((child) => child < heap.length);
      const least = children.reduce((best, child) => (isBefore(heap[child]!, heap[best]!) ? child : best), at);
      if (least === at) return first;
      [heap[least], heap[at]] = [heap[at]!, heap[least]!];
      at = least;
    }
  }
}

/** Nothing goes on but waiting: what the catalog asks of its file system takes real time. */
async function atRest(): Promise<void> {
  do await setImmediate();
  while (process.getActiveResourcesInfo().includes('FSReqPromise'));
}

function isBefore(a: Sleeper, b: Sleeper): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** The clock of one process. */
export class VirtualProcess implements Clock {
  readonly #time: VirtualTime;
  readonly #children: VirtualProcess[] = [];
  isDead = false;
  pausedUntil = 0;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  readonly now = () => this.#time.now;
  readonly monotonic = () => this.#time.now;

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (this.isDead) return; // for ever
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = this.#time.add(this.#time.now + Math.max(0, Math.ceil(ms)), this, () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      const abort = () => {
        sleeper.wake = undefined;
        if (!this.isDead) reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
    });

  /** One that dies with this one, and goes on while this one is paused. */
  child(): VirtualProcess {
    const child = this.#time.process();
    this.#children.push(child);
    return child;
  }

  /** As kill -9: whatever it waits for never comes. */
  kill(): void {
    this.isDead = true;
    for (const child of this.#children) child.kill();
  }

  /** As SIGSTOP, and SIGCONT after `ms`. */
  pause(ms: number): void {
    this.pausedUntil = this.#time.now + Math.ceil(ms);
  }
}
