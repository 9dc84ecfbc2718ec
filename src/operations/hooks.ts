/** Runs the commands an operator configured around a backup or a restore: program and arguments, never a shell. */
import { type ChildProcess, spawn } from 'node:child_process';
import { asFailure, Failure } from '../base/failure.ts';
import type { Progress } from '../base/progress.ts';

export interface HookOptions {
  /** The directory of the configuration file. */
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Milliseconds; default ten minutes. */
  readonly timeout?: number;
  /** All of it; default: that of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const DEFAULT_TIMEOUT = 10 * 60_000;
const KEPT_OUTPUT = 2000;
/** How long the output of a command that has ended may stay open: what it started in the background inherits it. */
const OUTPUT_GRACE = 500;
/** How long a command that was asked to end may take, in ms. */
const KILL_AFTER = 5000;

type Ending = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/**
 * Resolves when the command ends with status 0, whatever it leaves running. Throws `hook_failed` with the end of its output otherwise, and
 * the signal's reason when that fires. A command that is out of time or no longer wanted is killed with everything it started.
 */
export async function runHook(name: string, command: readonly string[], options: HookOptions): Promise<void> {
  const { directory, signal, timeout = DEFAULT_TIMEOUT, environment } = options;
  const [program, ...args] = command;
  if (program === undefined) return;
  signal.throwIfAborted();
  const child = spawn(program, args, {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    ...(environment && { env: environment }),
  });
  const output = endOfOutput(child);
  let isLate = false;
  const onAbort = () => killAll(child);
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => {
    isLate = true;
    killAll(child);
  }, timeout);
  const failed = (how: string, cause?: unknown): Failure => {
    const said = output().trim();
    return new Failure(
      'hook_failed',
      `The hook ${name} (${program}) ${how}.${said === '' ? '' : ` It said: ${said}`}`,
      {
        hint: `Run it by hand in ${directory} to see what is wrong.`,
        cause,
      },
    );
  };
  try {
    const ending = await ended(child);
    signal.throwIfAborted();
    if (isLate) throw failed(`did not end within ${Math.round(timeout / 1000)} s and was killed`);
    if (ending.signal !== null) throw failed(`was ended by ${ending.signal}`);
    if (ending.code !== 0) throw failed(`ended with status ${ending.code}`);
  } catch (error) {
    if (error instanceof Failure || signal.aborted) throw error;
    throw failed(`could not be started: ${error instanceof Error ? error.message : String(error)}`, error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

export interface Hooks {
  readonly before: readonly string[] | undefined;
  readonly after: readonly string[] | undefined;
}

/**
 * Does `work` between two hooks, `before…` and `after…`. The second runs whatever became of the first and of the work, an interruption
 * included: it may have to start again what the first one stopped. When both the work and the second hook fail, the failure of the work
 * is thrown and that of the hook is a warning. When only the second hook fails, its failure begins with what was achieved.
 */
export async function withHooks<T>(
  around: string,
  { before, after }: Hooks,
  options: HookOptions & { readonly progress: Progress; readonly achieved: (done: T) => string },
  work: () => Promise<T>,
): Promise<T> {
  const runAfter = async () => {
    if (after) await runHook(`after${around}`, after, { ...options, signal: new AbortController().signal });
  };
  let done: T;
  try {
    if (before) await runHook(`before${around}`, before, options);
    done = await work();
  } catch (error) {
    await runAfter().catch((second: unknown) => {
      const { message, hint } = asFailure(second);
      options.progress({ type: 'warning', message, ...(hint === undefined ? {} : { hint }) });
    });
    throw error;
  }
  try {
    await runAfter();
  } catch (error) {
    const { code, message, hint } = asFailure(error);
    throw new Failure(code, `${options.achieved(done)} ${message}`, hint === undefined ? {} : { hint });
  }
  return done;
}

/** Keeps the last of what the command says, on both channels. */
function endOfOutput(child: ChildProcess): () => string {
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-KEPT_OUTPUT);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return () => output;
}

function ended(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code: number | null, signal: NodeJS.Signals | null) => resolve({ code, signal }));
    child.once('exit', (code, signal) => setTimeout(() => resolve({ code, signal }), OUTPUT_GRACE));
  });
}

/** Asks first, then insists. The command leads a process group of its own. */
function killAll({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  const kill = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-pid, signal);
    } catch {
      // ended by itself in between
    }
  };
  kill('SIGTERM');
  setTimeout(() => kill('SIGKILL'), KILL_AFTER).unref();
}
