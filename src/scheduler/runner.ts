/**
 * Carries out one claimed run: a command in a process of its own, watched. What it says is written down at most twice a second; the lease
 * is renewed long before it ends; a run that was lost to another worker is killed at once and nothing more is written about it.
 */
import type { Clock } from '../base/clock.ts';
import { asFailure, type Failure } from '../base/failure.ts';
import { given } from '../base/given.ts';
import type { Catalog, CatalogDb } from '../catalog/catalog.ts';
import { finishRun, type RunEnd, renewLease, requeueRun } from '../catalog/claim.ts';
import { reportRun } from '../catalog/run-log.ts';
import type { Run, RunError } from '../catalog/runs.ts';
import { commandLine, type Params } from './kinds.ts';
import type { Child, StartChild } from './runner/child.ts';
import { conclude, type Ended } from './runner/conclude.ts';
import { People } from './runner/people.ts';
import { Report } from './runner/report.ts';

export type { Child, ChildCommand, ChildEnd, ChildListener, StartChild } from './runner/child.ts';
export { processes } from './runner/child.ts';

export interface RunnerDeps {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly start: StartChild;
  /** Words that every command gets, such as --config. */
  readonly words: readonly string[];
  /** ms; renewed each third of it. */
  readonly leaseMs: number;
  /** ms from asking a process to stop to ending it. */
  readonly graceMs: number;
  /** What a kind's command line needs to know from the catalog as the run starts. */
  prepare?(run: Run): Promise<Params>;
  /** Asked right before the run removes anything; what it throws is what the run fails with, and nothing is removed. */
  beforeRemoval?(run: Run): Promise<void>;
  /** Part of the transaction that ends the run. */
  ended?(db: CatalogDb, run: Run, params: Params, end: RunEnd): Promise<void>;
}

/** `lost`: somebody else has it now. */
export type RunResult = 'finished' | 'requeued' | 'lost';

const REPORT_EVERY = 500;
/** The step before which a command that removes asks. */
const REMOVAL = 'removal';

/** `stop`: hand it back when it is not over soon. Rejects only when the catalog cannot be written for longer than the lease. */
export async function carryOut(run: Run, deps: RunnerDeps, stop: AbortSignal): Promise<RunResult> {
  const params = (await deps.prepare?.(run)) ?? run.params;
  return new Execution(run, params, deps).go(stop);
}

class Execution {
  readonly #run: Run;
  readonly #params: Params;
  readonly #deps: RunnerDeps;
  readonly #report = new Report();
  readonly #over = new AbortController();
  readonly #people: People;
  #child: Child | undefined;
  #writing = false;
  #flushed: Promise<void> = Promise.resolve();
  #heldUntil: number;
  #lost = false;
  /** Why what was about to be removed stays. */
  #refusal: RunError | undefined;
  #stopped: Ended['stopped'];

  constructor(run: Run, params: Params, deps: RunnerDeps) {
    this.#run = run;
    this.#params = params;
    this.#deps = deps;
    this.#people = new People(deps.catalog, deps.clock, run, this.#over.signal);
    this.#heldUntil = deps.clock.monotonic() + deps.leaseMs;
  }

  async go(stop: AbortSignal): Promise<RunResult> {
    const { clock, start, words } = this.#deps;
    const { id, kind, app, timeLimitMs } = this.#run;
    const child = start(
      { words: [...commandLine(kind, app, this.#params), '--json', ...words], runId: id },
      {
        line: (from, text) => {
          this.#report.line(from, text, clock.now());
          this.#heard();
        },
        permit: (step) => this.#permit(step),
        confirm: (step, question) => this.#people.confirm(step, question),
        ready: () => this.#people.ready(),
      },
    );
    this.#child = child;
    const onStop = () => this.#ask('shutdown');
    stop.addEventListener('abort', onStop, { once: true });
    if (stop.aborted) onStop();
    const watching = [
      this.#keep(),
      this.#watchLease(),
      ...(timeLimitMs === undefined ? [] : [this.#limit(timeLimitMs)]),
    ];
    const end = await child.ended;
    this.#over.abort();
    stop.removeEventListener('abort', onStop);
    await Promise.all([...watching, this.#flushed]);
    if (this.#lost) return 'lost';
    this.#report.end(clock.now());
    const { outcome } = this.#report;
    const error = this.#refusal ?? this.#report.error;
    return this.#settle({ run: this.#run, end, outcome, error, stopped: this.#stopped, now: clock.now() });
  }

  /** Renews the lease until the process has ended. */
  async #keep(): Promise<void> {
    while (await this.#pause(this.#deps.leaseMs / 3)) if ((await this.#renew()) === 'lost') return;
  }

  /** Ends the process as soon as the lease is over, also while the catalog keeps an answer to itself. */
  async #watchLease(): Promise<void> {
    const left = () => this.#heldUntil - this.#deps.clock.monotonic();
    while (left() > 0) if (!(await this.#pause(left()))) return;
    this.#lose();
  }

  #lose(): 'lost' {
    this.#lost = true;
    this.#child?.kill();
    return 'lost';
  }

  /**
   * Confirms in the catalog that the run is still this worker's. While the catalog cannot be asked, the lease runs on as it was; an answer
   * that was under way for longer than the lease says nothing about now.
   */
  async #renew(): Promise<'held' | 'lost' | 'cancel' | 'unknown'> {
    const { catalog, clock, leaseMs } = this.#deps;
    if (this.#lost) return 'lost';
    const asked = clock.monotonic();
    const state = await renewLease(catalog.db, this.#run, clock.now(), leaseMs).catch(() => 'unknown' as const);
    if (state === 'held' || state === 'cancel') this.#heldUntil = asked + leaseMs;
    if (this.#lost || state === 'lost' || clock.monotonic() >= this.#heldUntil) return this.#lose();
    if (state === 'cancel') this.#ask('cancel');
    return state;
  }

  /** Only on the catalog's word: while it cannot be asked, the process waits as long as the lease lasts. */
  async #permit(step: string): Promise<boolean> {
    let state = await this.#renew();
    while (state === 'unknown' && (await this.#pause(1_000))) state = await this.#renew();
    if (state !== 'held') return false;
    try {
      if (step === REMOVAL) await this.#deps.beforeRemoval?.(this.#run);
      return !this.#lost;
    } catch (error) {
      this.#refusal = errorOf(asFailure(error));
      return false;
    }
  }

  /** Something was said: it is written down soon, with what else is said until then. */
  #heard(): void {
    if (this.#writing) return;
    this.#writing = true;
    const writing = this.#pause(REPORT_EVERY).then(async (goesOn) => {
      this.#writing = false;
      if (goesOn) await this.#flush().catch(() => {}); // what failed now goes with the next
    });
    this.#flushed = this.#flushed.then(() => writing);
  }

  async #flush(): Promise<void> {
    const { catalog, clock } = this.#deps;
    if (!this.#report.isDirty) return;
    const report = this.#report.take();
    const held = await reportRun(catalog.db, this.#run, report, clock.now()).catch((error: unknown) => {
      this.#report.giveBack(report);
      throw error;
    });
    if (!held) this.#lose();
  }

  async #limit(ms: number): Promise<void> {
    if (await this.#pause(ms)) this.#ask('time-limit');
  }

  /** Asks the process to stop; one that does not is ended. The first reason counts. */
  #ask(why: NonNullable<Ended['stopped']>): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = why;
    this.#child?.interrupt();
    void this.#pause(this.#deps.graceMs).then((still) => {
      if (still) this.#child?.kill();
    });
  }

  /** False when the process ended first. */
  #pause(ms: number): Promise<boolean> {
    return this.#deps.clock.sleep(ms, this.#over.signal).then(
      () => true,
      () => false,
    );
  }

  /** Ends the run or gives it back. A catalog that cannot be written is tried again while the lease lasts. */
  async #settle(ended: Ended): Promise<RunResult> {
    const { clock } = this.#deps;
    for (;;) {
      try {
        await this.#flush();
        return this.#lost ? 'lost' : await this.#conclude(ended);
      } catch (error) {
        if (clock.monotonic() >= this.#heldUntil) throw error;
        await clock.sleep(1_000);
      }
    }
  }

  async #conclude(ended: Ended): Promise<RunResult> {
    const { catalog, clock } = this.#deps;
    const conclusion = conclude(ended);
    const now = clock.now();
    if (conclusion.what === 'requeue') {
      const done = await requeueRun(catalog.db, this.#run, conclusion.again, now);
      return done ? 'requeued' : 'lost';
    }
    return catalog.transaction(async (db) => {
      if (!(await finishRun(db, this.#run, conclusion.end, now))) return 'lost';
      await this.#deps.ended?.(db, this.#run, this.#params, conclusion.end);
      return 'finished';
    });
  }
}

function errorOf({ code, message, hint }: Failure): RunError {
  return { code, message, ...given('hint', hint) };
}
