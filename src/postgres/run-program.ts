/** Runs a program to its end and keeps the tail of what it said. */
import { spawn } from 'node:child_process';
import { Failure } from '../base/failure.ts';
import type { ServerAccount } from './account.ts';

export interface Finished {
  /** Exit status; null when a signal ended the program. */
  readonly code: number | null;
  /** stdout and stderr, at most the last 64 KiB. */
  readonly output: string;
}

export interface RunProgramOptions {
  readonly account?: ServerAccount | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly cwd?: string;
}

const KEPT = 64 * 1024;

/** Resolves with whatever status; throws Failure `postgres_program_missing` when it cannot be started. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: RunProgramOptions = {},
): Promise<Finished> {
  const { account, signal, cwd = '/' } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(signal ? { signal } : {}),
      ...(account ? { uid: account.uid, gid: account.gid } : {}),
    });
    let output = '';
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-KEPT);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (cause) => {
      if (signal?.aborted) return reject(new Failure('interrupted', 'Interrupted.', { cause }));
      reject(new Failure('postgres_program_missing', `${program} cannot be run: ${cause.message}`, { cause }));
    });
    child.once('close', (code) => resolve({ code, output }));
  });
}
