/** Opens a sandbox, tells where it is, and keeps it until its time is over or the operator interrupts; then nothing of it is left. */
import { given } from '../base/given.ts';
import type { ProgramSearch } from '../postgres/programs.ts';
import { openSandbox, type Sandbox } from '../recovery/sandbox.ts';
import type { Session } from './session.ts';
import { type StateAsked, sandboxTarget } from './state.ts';

export interface RunSandboxInput {
  readonly app: string;
  readonly source?: string;
  readonly storage?: string;
  readonly state: StateAsked;
  /** Milliseconds; undefined: until it is interrupted. */
  readonly lifetime?: number;
  readonly tcp: boolean;
  readonly withFiles: boolean;
  /** Absolute. */
  readonly directory?: string;
  readonly programs: ProgramSearch;
  readonly account?: string;
  /** Hears of the sandbox once it accepts connections. */
  readonly onReady: (ready: SandboxReady) => Promise<void>;
}

/** What a person or a program needs to use it. */
export interface SandboxReady {
  readonly url: string;
  readonly directory: string;
  readonly major: number;
  /** The point it was made from. */
  readonly point: string;
  readonly reached_lsn: string;
  readonly reached_time: string | null;
  /** When it ends, RFC 3339; null: when it is interrupted. */
  readonly until: string | null;
  readonly seconds: number;
}

export interface RunSandboxOutcome extends SandboxReady {
  /** How it ended. */
  readonly ended: 'time' | 'interrupted';
}

/** Throws what opening it throws; an interruption of a sandbox that runs is its ordinary end. */
export async function runSandbox(session: Session, input: RunSandboxInput): Promise<RunSandboxOutcome> {
  const { clock, signal } = session;
  const { state, lifetime, onReady, app, tcp, withFiles, programs } = input;
  const started = clock.monotonic();
  const target = await sandboxTarget(session, app, state);
  await using sandbox = await openSandbox(session, {
    ...{ target, app, tcp, withFiles, programs },
    ...given('source', input.source),
    ...given('storage', input.storage),
    ...given('directory', input.directory),
    ...given('account', input.account),
  });
  const seconds = (clock.monotonic() - started) / 1000;
  const until = lifetime === undefined ? null : new Date(clock.now() + lifetime).toISOString();
  const ready = describe(sandbox, until, seconds);
  await onReady(ready);
  const ended = await rest(session, lifetime, signal);
  return { ...ready, ended };
}

function describe(sandbox: Sandbox, until: string | null, seconds: number): SandboxReady {
  return {
    url: sandbox.url(),
    directory: sandbox.directory,
    major: sandbox.major,
    point: sandbox.point.stored.id,
    reached_lsn: sandbox.reached.lsn,
    reached_time: sandbox.reached.commitTime,
    until,
    seconds,
  };
}

/** Timers go no further than this many milliseconds at a time. */
const LONGEST_SLEEP = 24 * 3_600_000;

async function rest(
  { clock }: Session,
  lifetime = Number.POSITIVE_INFINITY,
  signal: AbortSignal,
): Promise<'time' | 'interrupted'> {
  const end = clock.monotonic() + lifetime;
  for (let left = lifetime; left > 0; left = end - clock.monotonic()) {
    try {
      await clock.sleep(Math.min(left, LONGEST_SLEEP), signal);
    } catch (error) {
      if (signal.aborted) return 'interrupted';
      throw error;
    }
  }
  return 'time';
}
