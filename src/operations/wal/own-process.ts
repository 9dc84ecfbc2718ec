/**
 * Work beside a stream as a process of its own, such as `holdfast wal fold`: the memory it takes, and the processor time between two messages
 * of the server, are not the stream's, and go with it. It works at a low priority.
 */
import { execFile } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { Failure } from '../../base/failure.ts';
import { type JsonObject, parseJsonObject } from '../../base/json-object.ts';
import type { Progress } from '../../base/progress.ts';

export interface OwnProgram {
  /** The program's file, and what belongs to every command: `--config F --app A`. */
  readonly program: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface OwnProcess extends OwnProgram {
  /** The command and its options. */
  readonly words: readonly string[];
  /** Ends the process as SIGINT does. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

const MAX_OUTPUT = 16 * 1024 * 1024;
const DONE_IN_PART = 3;

/** Resolves, once the process has ended, with its summary. Passes its warnings on. Throws what it says it failed with. */
export async function runInProcess(order: OwnProcess): Promise<JsonObject> {
  const { signal, progress, words } = order;
  const { code, stdout, stderr } = await runToEnd(order);
  signal.throwIfAborted();
  const told = lines(stdout);
  for (const { message_type: type, message } of told)
    if (type === 'error' && typeof message === 'string') progress({ type: 'warning', message });
  if (code !== 0 && code !== DONE_IN_PART) throw failureIn(stderr, words[0] ?? '', code);
  return told.findLast(({ message_type: type }) => type === 'summary') ?? {};
}

interface Ended {
  /** Undefined: it did not end by itself. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

function runToEnd({ program, environment, words, signal }: OwnProcess): Promise<Ended> {
  const [file = '', ...general] = program;
  return new Promise((resolve) => {
    const child = execFile(
      file,
      [...general, '--json', '--quiet', ...words],
      { env: environment, maxBuffer: MAX_OUTPUT },
      (error, stdout, stderr) => {
        signal.removeEventListener('abort', stop);
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : undefined;
        resolve({ code, stdout, stderr: stderr || (error?.message ?? '') });
      },
    );
    const stop = () => child.kill('SIGINT');
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    yieldToOthers(child.pid);
  });
}

function yieldToOthers(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // it has ended already, or this system has no priorities
  }
}

function failureIn(stderr: string, command: string, code: number | undefined): Failure {
  const error = lines(stderr).findLast(({ message_type: type }) => type === 'exit_error');
  if (error === undefined) {
    const said = stderr.trim().slice(-1000);
    return new Failure('step_failed', said === '' ? `"holdfast ${command}" ended with ${code ?? 'a signal'}.` : said);
  }
  const { message, hint } = error;
  return new Failure('step_failed', String(message), typeof hint === 'string' ? { hint } : {});
}

function lines(text: string): readonly JsonObject[] {
  return text
    .split('\n')
    .map((line) => parseJsonObject(line))
    .filter((told) => told !== undefined);
}
