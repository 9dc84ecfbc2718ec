/**
 * Many apps on many workers for many days: the real scheduler, the real catalog, the real workers; only time and the processes that would
 * do the work are made up. Workers and schedulers are killed and paused all the while. What must hold is counted, not assumed.
 */
import type { Catalog } from '../../catalog/catalog.ts';
import type { Run } from '../../catalog/runs.ts';
import type { DeclaredSchedule } from '../declared.ts';
import type { Child, ChildCommand, ChildEnd, ChildListener } from '../runner.ts';
import { Ticker } from '../ticker.ts';
import { work } from '../worker.ts';
import { type VirtualProcess, VirtualTime } from './virtual-time.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TICK = 5 * MINUTE;

export interface SimulationSize {
  readonly apps: number;
  readonly workers: number;
  readonly days: number;
  readonly seed: number;
  /** ms between two mishaps: a worker or a scheduler is killed or paused. */
  readonly mishapEvery: number;
}

export interface SimulationFigures {
  /** Occurrences that the timetables asked for. */
  readonly due: number;
  /** Of those: neither done nor skipped with a reason. Must be none. */
  readonly lost: number;
  readonly skipped: number;
  /** Occurrences with more than one run, and runs told as done whose work is not. Must be none. */
  readonly twice: number;
  readonly untrue: number;
  /** Commands of one app that were allowed to become final at once. Must be none. */
  readonly overlapping: number;
  readonly commands: number;
  /** Commands that were killed because their run had gone to another worker. */
  readonly fenced: number;
  readonly kills: number;
  readonly pauses: number;
  /** From when a run might begin until it did, ms. */
  readonly worstWait: number;
}

/** For the last night's work to end. */
const AFTERWARDS = 14 * HOUR;
const START = Date.UTC(2026, 2, 15); // with a change of clocks within

export async function simulate(catalog: Catalog, size: SimulationSize): Promise<SimulationFigures> {
  const world = new World(catalog, size);
  await world.run();
  return world.figures();
}

class World {
  readonly #time = new VirtualTime(START);
  readonly #catalog: Catalog;
  readonly #size: SimulationSize;
  readonly #random: () => number;
  readonly #declared: readonly DeclaredSchedule[];
  /** Runs whose work is final. */
  readonly #done = new Set<string>();
  /** By app: who is allowed to make something final now. */
  readonly #allowed = new Map<string, VirtualProcess>();
  readonly #workers: VirtualProcess[] = [];
  readonly #tickers: VirtualProcess[] = [];
  readonly #idle: (() => void)[] = [];
  readonly #counts = { overlapping: 0, commands: 0, fenced: 0, kills: 0, pauses: 0 };
  #names = 0;

  constructor(catalog: Catalog, size: SimulationSize) {
    this.#catalog = catalog;
    this.#size = size;
    this.#random = randomNumbers(size.seed);
    this.#declared = Array.from({ length: size.apps }, (_, n) => nightly(`app${n}`));
  }

  async run(): Promise<void> {
    const { workers, days, mishapEvery } = this.#size;
    for (let n = 0; n < workers; n++) this.#workers.push(this.#startWorker());
    for (let n = 0; n < 2; n++) this.#tickers.push(this.#startTicker());
    void this.#mishaps(this.#time.process(), mishapEvery);
    await this.#time.runUntil(START + days * DAY + AFTERWARDS);
  }

  async figures(): Promise<SimulationFigures> {
    const due = this.#size.apps * this.#size.days;
    const { db } = this.#catalog;
    const occurrences = await db
      .selectFrom('runs')
      .select(({ fn }) => fn.countAll().as('runs'))
      .where('state', 'in', ['succeeded', 'partial', 'failed', 'skipped'])
      .groupBy(['schedule_id', 'scheduled_for'])
      .execute();
    const succeeded = await db.selectFrom('runs').select('id').where('state', '=', 'succeeded').execute();
    const skipped = await db.selectFrom('runs').select('id').where('state', '=', 'skipped').execute();
    const { worst } = await db
      .selectFrom('runs')
      .select(({ fn, eb }) => fn.max(eb('started_at', '-', eb.ref('not_before'))).as('worst'))
      .where('attempt', '=', 1)
      .executeTakeFirstOrThrow();
    return {
      due,
      lost: due - occurrences.length,
      skipped: skipped.length,
      twice: occurrences.filter(({ runs }) => Number(runs) > 1).length,
      untrue: succeeded.filter(({ id }) => !this.#done.has(id)).length,
      ...this.#counts,
      worstWait: Number(worst),
    };
  }

  #startWorker(): VirtualProcess {
    const clock = this.#time.process();
    const name = `worker-${this.#names++}`;
    const self = { id: name, name, labels: {}, role: 'worker', version: '0' } as const;
    const deps = { catalog: this.#catalog, clock, self, words: [], concurrency: 1, onProblem };
    const times = { leaseMs: 15 * MINUTE, graceMs: MINUTE, pollMs: 30 * MINUTE, heartbeatMs: 6 * HOUR, drainMs: 0 };
    const start = (command: ChildCommand, listener: ChildListener) => this.#command(clock, command, listener);
    const wait = (ms: number) => this.#wait(clock, ms);
    void work({ ...deps, ...times, start, wait }, new AbortController().signal);
    return clock;
  }

  #startTicker(): VirtualProcess {
    const clock = this.#time.process();
    const deps = { catalog: this.#catalog, clock, holder: `serve-${this.#names++}`, roleMs: 3 * TICK, onProblem };
    const ticker = new Ticker({ ...deps, declared: async () => this.#declared });
    const loop = async () => {
      for (;;) {
        for (const { run } of await ticker.tick()) this.#wakeAt(run);
        await clock.sleep(TICK);
      }
    };
    void loop();
    return clock;
  }

  /** As a notification of the catalog would: one worker looks when the run may start. */
  #wakeAt({ notBefore }: Run): void {
    const clock = this.#time.process();
    void clock.sleep(notBefore - clock.now()).then(() => this.#idle.shift()?.());
  }

  #wait(clock: VirtualProcess, ms: number): Promise<void> {
    const over = new AbortController();
    this.#idle.push(() => over.abort());
    return clock.sleep(ms, over.signal).catch(() => {});
  }

  /** A made-up command in a process of its own, which ends with its worker's. What it says is heard when the worker is not paused. */
  #command(worker: VirtualProcess, { words, runId }: ChildCommand, listener: ChildListener): Child {
    const app = words.find((word) => word.startsWith('--app='))!;
    const clock = worker.child();
    const stop = new AbortController();
    this.#counts.commands += 1;
    const killed = new Promise<ChildEnd>((resolve) => {
      stop.signal.addEventListener('abort', () => resolve({ status: null, signal: 'SIGKILL' }), { once: true });
    });
    const heard = async () => worker.sleep(0);
    const permit = async () => {
      await heard();
      return listener.permit('snapshot');
    };
    const working = this.#work(clock, app, runId, permit).then(async (end) => {
      await heard();
      if (end.status === 1) listener.line('errors', UNREACHABLE);
      return end;
    });
    return {
      ended: Promise.race([working, killed]),
      interrupt: () => {},
      kill: () => {
        this.#counts.fenced += 1;
        clock.kill();
        stop.abort();
      },
    };
  }

  /** Some minutes, then it asks whether it may, and what it did is final. Some fail; some die, before and after. */
  async #work(clock: VirtualProcess, app: string, runId: string, permit: () => Promise<boolean>): Promise<ChildEnd> {
    const luck = this.#random();
    await clock.sleep((2 + this.#random() * 18) * MINUTE);
    if (luck < 0.02) return { status: 1 };
    if (luck < 0.025) return { status: null, signal: 'SIGKILL' };
    if (!(await permit())) return { status: 11 };
    const other = this.#allowed.get(app);
    if (other !== undefined && !other.isDead) this.#counts.overlapping += 1;
    this.#allowed.set(app, clock);
    await clock.sleep(1_000); // between the permission and the end of the write
    this.#allowed.delete(app);
    this.#done.add(runId);
    return luck > 0.99 ? { status: null, signal: 'SIGKILL' } : { status: 0 };
  }

  async #mishaps(clock: VirtualProcess, every: number): Promise<void> {
    for (;;) {
      await clock.sleep(every * (0.5 + this.#random()));
      const [group, start] =
        this.#random() < 0.9
          ? ([this.#workers, () => this.#startWorker()] as const)
          : ([this.#tickers, () => this.#startTicker()] as const);
      const at = Math.floor(this.#random() * group.length);
      if (this.#random() < 0.5) {
        group[at]!.pause(this.#random() * HOUR);
        this.#counts.pauses += 1;
      } else {
        group[at]!.kill();
        group[at] = start();
        this.#counts.kills += 1;
      }
    }
  }
}

const UNREACHABLE = '{"message_type":"exit_error","error":"storage_unreachable","message":"r2: timed out"}';

function nightly(app: string): DeclaredSchedule {
  return {
    app,
    kind: 'backup',
    name: 'backup',
    params: {},
    cron: '0 22 * * *',
    timezone: 'Europe/Madrid',
    ...{ jitterMs: 8 * HOUR, catchUp: true, blackout: [], priority: 0, retries: 20, labels: {}, enabled: true },
  };
}

function onProblem(message: string, error: unknown): void {
  throw new Error(message, { cause: error });
}

/** Mulberry32. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
