/** What becomes of a run whose process has ended. Pure. */
import { EXIT } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import type { Requeue, RunEnd } from '../../catalog/claim.ts';
import type { Run, RunError } from '../../catalog/runs.ts';
import { isTransient, kindOf } from '../kinds.ts';
import type { ChildEnd } from './child.ts';

export type Conclusion =
  | { readonly what: 'finish'; readonly end: RunEnd }
  | { readonly what: 'requeue'; readonly again: Requeue };

export interface Ended {
  readonly run: Run;
  readonly end: ChildEnd;
  readonly outcome?: Readonly<Record<string, unknown>> | undefined;
  readonly error?: RunError | undefined;
  /** Why the worker asked it to stop, if it did. */
  readonly stopped?: 'cancel' | 'time-limit' | 'shutdown' | undefined;
  readonly now: number;
}

const FIRST_PAUSE = 30_000;
const LONGEST_PAUSE = 30 * 60_000;
/** Another run has the repository: looked again soon and often, without counting. */
const LOCKED_PAUSE = 45_000;
const LOCKED_FOR = 12 * 3_600_000;

export function conclude(ended: Ended): Conclusion {
  const { run, end, outcome, stopped } = ended;
  const state = end.status === EXIT.done ? 'succeeded' : end.status === EXIT.partial ? 'partial' : undefined;
  if (state !== undefined) return finish({ state, ...given('outcome', outcome), ...given('error', ended.error) });
  if (stopped === 'cancel') return finish({ state: 'cancelled', ...given('outcome', outcome) });
  if (stopped === 'time-limit') return failed(ended, timeLimit(run));
  const error = ended.error ?? errorOf(end);
  if (!kindOf(run.kind).repeatable) return failed(ended, error);
  if (stopped === 'shutdown')
    return requeue({ notBefore: ended.now, reason: 'The worker was stopped; another goes on.', counted: false });
  if (error.code === 'locked' && ended.now - run.createdAt < LOCKED_FOR)
    return requeue({ notBefore: later(ended, LOCKED_PAUSE), reason: error.message, error, counted: false });
  if (!isTransient(error.code) || run.attempt >= run.maxAttempts) return failed(ended, error);
  const pause = Math.min(FIRST_PAUSE * 4 ** (run.attempt - 1), LONGEST_PAUSE);
  return requeue({ notBefore: later(ended, pause), reason: `Tried again: ${error.message}`, error });
}

function finish(end: RunEnd): Conclusion {
  return { what: 'finish', end };
}

function requeue(again: Requeue): Conclusion {
  return { what: 'requeue', again };
}

function failed({ outcome }: Ended, error: RunError): Conclusion {
  return finish({ state: 'failed', error, ...given('outcome', outcome) });
}

/** Up to half as much again, by an amount that belongs to the run: what failed together is not tried again together. */
function later({ run, now }: Ended, pause: number): number {
  const part = Number.parseInt(run.id.slice(-3).replaceAll(/[^0-9a-f]/g, '7'), 16) / 0xfff;
  return now + Math.round(pause * (1 + part / 2));
}

function timeLimit({ timeLimitMs = 0 }: Run): RunError {
  const minutes = Math.round(timeLimitMs / 60_000);
  return {
    code: 'run_timed_out',
    message: `It took longer than its time limit of ${minutes} min and was stopped.`,
    hint: 'Raise timeLimit of its schedule, or look into the log for what took so long.',
  };
}

/** For a process that did not say itself why it failed. */
function errorOf({ status, signal, problem }: ChildEnd): RunError {
  if (problem !== undefined) return { code: 'run_crashed', message: `The command could not be started: ${problem}.` };
  if (status === EXIT.damaged)
    return {
      code: 'data_damaged',
      message: 'Damage was found.',
      hint: 'The outcome lists it; "holdfast sync" heals it.',
    };
  if (status === EXIT.interrupted) return { code: 'interrupted', message: 'It was interrupted from outside.' };
  const how = signal === undefined ? `status ${String(status)}` : `signal ${signal}`;
  return { code: 'run_crashed', message: `The command ended with ${how} and did not say why.` };
}
