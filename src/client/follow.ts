/** A run on a server, followed from here: its steps and remarks as progress, its end as an answer. */
import type { GivenBody } from '../api/endpoint.ts';
import {
  type AcceptedRun,
  cancelRun,
  createRun,
  getRun,
  listRunLog,
  listRunSteps,
  type Run,
  type RunStep,
} from '../api/runs.ts';
import type { Clock } from '../base/clock.ts';
import { FAILURES, Failure, type FailureCode, isFailure } from '../base/failure.ts';
import { given } from '../base/given.ts';
import type { Progress } from '../base/progress.ts';
import type { Client } from './client.ts';
import { News } from './news.ts';

export interface RunWanted {
  readonly kind: string;
  readonly app: string | undefined;
  readonly params: Readonly<Record<string, unknown>>;
  readonly reason?: string;
}

export interface Follower {
  readonly client: Client;
  readonly clock: Clock;
  readonly progress: Progress;
  /** Fires when the operator interrupts: the run is asked to stop. */
  readonly signal: AbortSignal;
}

export const OVER: readonly string[] = ['succeeded', 'partial', 'failed', 'cancelled', 'skipped'];
/** Looked again after so many ms when no event came. */
export const AGAIN_MS = 2_000;
const CANCEL_MS = 10_000;

/**
 * Asks for a run and resolves with its outcome, the summary that the command prints. Throws the failure of a run that had no outcome; what
 * waits for a second person is `forbidden`, with the id of the request.
 */
export async function runThere(follower: Follower, wanted: RunWanted): Promise<Readonly<Record<string, unknown>>> {
  const { kind, app, params, reason } = wanted;
  const body = { kind, params: { ...params }, ...given('app', app), ...given('reason', reason) };
  return (await followThere(follower, await askForRun(follower, body))).outcome;
}

/**
 * Asks for a run, and waits for the answer also when the operator interrupts meanwhile: who does not know which run was made cannot stop it.
 */
export async function askForRun(
  { client, signal }: Pick<Follower, 'client' | 'signal'>,
  body: GivenBody<typeof createRun>,
): Promise<AcceptedRun> {
  signal.throwIfAborted();
  const patience = new AbortController();
  const giveUp = () => patience.abort(signal.reason);
  const interrupted = () => AbortSignal.timeout(CANCEL_MS).addEventListener('abort', giveUp);
  signal.addEventListener('abort', interrupted, { once: true });
  try {
    return await client.with(patience.signal).call(createRun, { body });
  } catch (cause) {
    if (!patience.signal.aborted) throw cause;
    const told = 'Stopped as asked; whether there is a run now is not known, the server does not answer.';
    throw new Failure('interrupted', told, { cause });
  } finally {
    signal.removeEventListener('abort', interrupted);
  }
}

export interface EndedRun {
  readonly id: string;
  readonly outcome: Readonly<Record<string, unknown>>;
}

/** The same for a run that was asked for by another route. */
export async function followThere(follower: Follower, { run, approval }: AcceptedRun): Promise<EndedRun> {
  if (run === null)
    throw new Failure('forbidden', `A second person must agree first: the request ${approval} waits.`, {
      hint: 'Somebody else approves it on the server.',
    });
  const ended = await endThere(follower, run);
  if (ended.outcome !== null) return { id: ended.id, outcome: ended.outcome };
  throw failureOfRun(ended);
}

/** Follows one's own run, and resolves with it once it is over, however it ended. */
export async function endThere(follower: Follower, run: Run): Promise<Run> {
  const { client, signal } = follower;
  return followRun(follower, run).catch(async (error: unknown) => {
    if (!signal.aborted) throw error;
    const asked = await stopThere(client, run.id);
    throw new Failure('interrupted', asked, { cause: error });
  });
}

/** Tells a run until it is over; an interruption is none of the run's. */
export async function followRun(follower: Follower, { id, app }: Run): Promise<Run> {
  const { client } = follower;
  const stop = new AbortController();
  const news = new News(client, { run: id, ...(app === '*' ? {} : { app }) }, stop.signal);
  const told = new Told(follower);
  try {
    for (;;) {
      const run = await client.call(getRun, { params: { run: id } });
      await told.update(id);
      if (OVER.includes(run.state)) return run;
      await news.wait(follower.clock, AGAIN_MS, follower.signal);
    }
  } finally {
    stop.abort();
  }
}

/** Steps and lines that were passed on. */
class Told {
  readonly #follower: Follower;
  readonly #ended = new Set<string>();
  readonly #begun = new Set<string>();
  #line = 0;

  constructor(follower: Follower) {
    this.#follower = follower;
  }

  async update(run: string): Promise<void> {
    const { client } = this.#follower;
    const { items: steps } = await client.call(listRunSteps, { params: { run } });
    for (const step of steps) this.#step(step);
    for (let more = true; more; ) {
      const { items, next } = await client.call(listRunLog, {
        params: { run },
        query: { after: this.#line, limit: 500 },
      });
      for (const line of items) this.#say(line);
      this.#line = items.at(-1)?.seq ?? this.#line;
      more = next !== null;
    }
  }

  #step(step: RunStep): void {
    const { progress } = this.#follower;
    const id = `${step.attempt}.${step.seq}`;
    if (this.#ended.has(id)) return;
    const totals = {
      ...given('totalBytes', step.total_bytes ?? undefined),
      ...given('totalItems', step.total_items ?? undefined),
    };
    const done = { ...given('bytes', step.bytes ?? undefined), ...given('items', step.items ?? undefined), ...totals };
    if (!this.#begun.has(id)) progress({ type: 'step', step: step.step, title: step.title, ...totals });
    this.#begun.add(id);
    progress({ type: 'advance', step: step.step, ...done });
    if (step.state === 'running') return;
    this.#ended.add(id);
    progress({ type: 'done', step: step.step, outcome: step.state, ...given('message', step.message ?? undefined) });
  }

  #say({ level, message, data }: { level: string; message: string; data: Record<string, unknown> | null }): void {
    const { progress } = this.#follower;
    if (level === 'info') progress({ type: 'note', message });
    if (level !== 'warning') return;
    const text = (name: 'hint' | 'source' | 'storage' | 'item') =>
      given(name, typeof data?.[name] === 'string' ? data[name] : undefined);
    progress({ type: 'warning', message, ...text('hint'), ...text('source'), ...text('storage'), ...text('item') });
  }
}

/** What is told after an interruption. */
async function stopThere(client: Client, run: string): Promise<string> {
  try {
    await client.with(AbortSignal.timeout(CANCEL_MS)).call(cancelRun, { params: { run } });
    return `Stopped as asked; the run ${run} was asked to stop, too.`;
  } catch (error) {
    if (isFailure(error, 'run_ended')) return `Stopped as asked; the run ${run} had ended.`;
    return `Stopped as asked; whether the run ${run} goes on is not known, the server does not answer.`;
  }
}

/** Why a run did not do what it was to do. */
export function failureOfRun({ error, state, id }: Run): Failure {
  if (error === null) return new Failure('interrupted', `The run ${id} is ${state}.`);
  const known = Object.hasOwn(FAILURES, error.code);
  return new Failure(known ? (error.code as FailureCode) : 'server_failed', error.message, {
    ...(error.hint === null ? {} : { hint: error.hint }),
  });
}
