/** Carries the steps of a runbook out, one after the other, by the clock. The first that fails ends it; what was done stays done. */
import { formatDuration } from '../../base/durations.ts';
import { asFailure, Failure } from '../../base/failure.ts';
import type { PersonsNote } from '../../base/supervision.ts';
import { runHook } from '../hooks.ts';
import type { Session } from '../session.ts';
import { runChild } from './child.ts';
import { describeClock, expectations } from './clock.ts';
import type { Person } from './person.ts';
import { describeAction, type RunbookNote, type RunbookReport, type StepReport } from './report.ts';
import type { PlannedStep } from './steps.ts';

export interface PerformOptions {
  readonly steps: readonly PlannedStep[];
  /** The first to carry out; those before it were done earlier. */
  readonly from: number;
  readonly objectiveMs: number;
  readonly earlier: readonly RunbookReport[];
  readonly person: Person;
  /** Program and arguments; told when something takes too long. */
  readonly escalate?: readonly string[];
  /** Hooks and checks run there. */
  readonly directory: string;
  readonly program: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Performed {
  readonly steps: readonly StepReport[];
  readonly notes: readonly RunbookNote[];
  /** Why it ended before its end. */
  readonly failure: Failure | undefined;
  readonly durationMs: number;
}

const RETRY_CHECK_MS = 3000;

export async function perform(session: Session, options: PerformOptions): Promise<Performed> {
  return new Performance(session, options).perform();
}

interface Ended {
  readonly message: string | null;
  readonly by: string | null;
}

class Performance {
  readonly #session: Session;
  readonly #options: PerformOptions;
  readonly #expected: ReadonlyMap<number, number>;
  readonly #steps: StepReport[] = [];
  readonly #notes: RunbookNote[] = [];
  readonly #startedAt: number;
  #failure: Failure | undefined;

  constructor(session: Session, options: PerformOptions) {
    this.#session = session;
    this.#options = options;
    this.#expected = expectations(options.steps, options.earlier);
    this.#startedAt = session.clock.monotonic();
  }

  async perform(): Promise<Performed> {
    const { clock } = this.#session;
    const whole = new AbortController();
    void this.#escalateAfter(this.#options.objectiveMs, 'the whole recovery', whole.signal);
    for (const step of this.#options.steps) this.#steps.push(await this.#step(step));
    whole.abort();
    const durationMs = clock.monotonic() - this.#startedAt;
    return { steps: this.#steps, notes: this.#notes, failure: this.#failure, durationMs };
  }

  async #step(step: PlannedStep): Promise<StepReport> {
    const { clock, progress, signal } = this.#session;
    const base = {
      ...{ number: step.number, title: step.title, kind: step.action.do, what: describeAction(step) },
      ...{ budget_s: step.budgetMs / 1000, started: null, duration_s: null, late: false, message: null, by: null },
    };
    if (this.#failure !== undefined) return { ...base, outcome: 'not reached' };
    if (step.number < this.#options.from) return { ...base, outcome: 'skipped', message: 'done before' };
    if (step.skipped !== undefined) return { ...base, outcome: 'skipped', message: step.skipped };
    const id = `step-${step.number}`;
    let started = clock.monotonic();
    let startedAt = clock.now();
    const times = () => {
      const duration = clock.monotonic() - started;
      return {
        ...{ started: new Date(startedAt).toISOString(), duration_s: Math.round(duration) / 1000 },
        late: duration > step.budgetMs,
      };
    };
    const watch = new AbortController();
    try {
      this.#note(await this.#options.person.ready(step.number, signal));
      started = clock.monotonic();
      startedAt = clock.now();
      progress({ type: 'note', message: this.#clock(step) });
      progress({ type: 'step', step: id, title: `${step.number}/${this.#options.steps.length} ${step.title}` });
      void this.#escalateAfter(step.budgetMs, step.title, watch.signal);
      const { message, by } = await this.#act(step, id);
      progress({ type: 'done', step: id, outcome: 'done' });
      return { ...base, ...times(), outcome: 'done', message, by };
    } catch (error) {
      this.#failure = asFailure(signal.aborted ? signal.reason : error);
      const { message } = this.#failure;
      progress({ type: 'done', step: id, outcome: 'failed', message });
      return { ...base, ...times(), outcome: 'failed', message };
    } finally {
      watch.abort();
    }
  }

  async #act({ number, action, budgetMs }: PlannedStep, id: string): Promise<Ended> {
    const { signal, progress, supervision } = this.#session;
    const { program, environment, directory, person } = this.#options;
    switch (action.do) {
      case 'run': {
        const options = { program, environment, signal, progress, step: id, ...(supervision && { supervision }) };
        return { message: await runChild(action.words, options), by: null };
      }
      case 'hook':
        await runHook('of the runbook', action.words, { directory, signal, timeout: Math.max(budgetMs * 2, 60_000) });
        return { message: null, by: null };
      case 'check':
        return { message: await this.#check(action.words, budgetMs), by: null };
      case 'confirm': {
        const { yes, by, note } = await person.ask(number, action.question, signal);
        if (note !== null) this.#note([{ by, text: note }]);
        if (!yes) throw new Failure('step_refused', `${by} said no.${note === null ? '' : ` ${note}`}`);
        return { message: null, by };
      }
    }
  }

  /** Again and again until it is well or its time is over: what was just started needs a while. */
  async #check(words: readonly string[], budgetMs: number): Promise<string | null> {
    const { signal, clock } = this.#session;
    const until = clock.monotonic() + budgetMs;
    for (let tries = 1; ; tries++) {
      const left = until - clock.monotonic();
      try {
        await runHook('of the runbook', words, {
          directory: this.#options.directory,
          signal,
          timeout: Math.max(left, 1000),
        });
        return tries === 1 ? null : `well at the ${tries}. try`;
      } catch (error) {
        signal.throwIfAborted();
        if (until - clock.monotonic() < RETRY_CHECK_MS) throw error;
      }
      await clock.sleep(RETRY_CHECK_MS, signal);
    }
  }

  #note(notes: readonly PersonsNote[]): void {
    const time = new Date(this.#session.clock.now()).toISOString();
    this.#notes.push(...notes.map((note) => ({ time, ...note })));
  }

  #clock(step: PlannedStep): string {
    const used = this.#session.clock.monotonic() - this.#startedAt;
    const left = [...this.#expected].reduce((sum, [number, ms]) => (number >= step.number ? sum + ms : sum), 0);
    return describeClock(used, left, this.#options.objectiveMs);
  }

  /** Tells, and runs what the operator set for it; the step goes on. */
  async #escalateAfter(ms: number, what: string, ended: AbortSignal): Promise<void> {
    const { clock, progress } = this.#session;
    try {
      await clock.sleep(ms, ended);
    } catch {
      return; // it ended in time
    }
    const message = `${what}: takes longer than the ${formatDuration(ms)} it may.`;
    progress({ type: 'warning', message });
    const { escalate, directory, environment: inherited } = this.#options;
    if (escalate === undefined) return;
    const environment = { ...inherited, HOLDFAST_STEP: what, HOLDFAST_BUDGET_SECONDS: String(ms / 1000) };
    const never = new AbortController().signal;
    await runHook('escalate', escalate, { directory, signal: never, environment }).catch((error: unknown) => {
      progress({ type: 'warning', message: asFailure(error).message });
    });
  }
}
