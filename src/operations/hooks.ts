/** Runs the commands an operator configured around a backup or a restore: program and arguments, never a shell. */
import { spawn } from 'node:child_process';
import { Failure } from '../base/failure.ts';

export interface HookOptions {
  /** The directory of the configuration file. */
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Milliseconds; default ten minutes. */
  readonly timeout?: number;
}

const DEFAULT_TIMEOUT = 10 * 60_000;
const KEPT_OUTPUT = 2000;

/** Resolves when the command ends with status 0; throws `hook_failed` with the end of its output otherwise. */
export async function runHook(name: string, command: readonly string[], options: HookOptions): Promise<void> {
  const [program, ...args] = command;
  if (program === undefined) return;
  const timeout = options.timeout ?? DEFAULT_TIMEOUT;
  const child = spawn(program, args, {
    cwd: options.directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: options.signal,
    timeout,
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-KEPT_OUTPUT);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const failed = (how: string, cause?: unknown): Failure =>
    new Failure(
      'hook_failed',
      `The hook ${name} (${program}) ${how}.${output.trim() === '' ? '' : ` It said: ${output.trim()}`}`,
      {
        hint: `Run it by hand in ${options.directory} to see what is wrong.`,
        cause,
      },
    );
  await new Promise<void>((resolve, reject) => {
    child.on('error', (error) =>
      reject(options.signal.aborted ? options.signal.reason : failed(`could not be started: ${error.message}`, error)),
    );
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else if (signal !== null) reject(failed(`was ended by ${signal} (limit: ${Math.round(timeout / 1000)} s)`));
      else reject(failed(`ended with status ${code}`));
    });
  });
}
