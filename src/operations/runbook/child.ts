/** Runs one Holdfast command of a runbook as a process of its own, and hears what it tells. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Duplex, Readable } from 'node:stream';
import { Failure } from '../../base/failure.ts';
import { type JsonObject, parseJsonObject } from '../../base/json-object.ts';
import type { Progress } from '../../base/progress.ts';
import type { Supervision } from '../../base/supervision.ts';

export interface ChildOptions {
  /** The program's file, and what belongs to every command: `--config F --app A`. */
  readonly program: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** The step it belongs to. */
  readonly step: string;
  /** Set when a worker started the runbook: what the command is about to make final is asked of it too. */
  readonly supervision?: Supervision;
}

/** Exit statuses with which a command did what it was asked: all of it, or as far as it went. */
const GOOD = new Set([0, 3]);
const CAPTURED = 4000;

/** Resolves with a word about what was left out, if something was. Throws what the command says it failed with. */
export async function runChild(words: readonly string[], options: ChildOptions): Promise<string | null> {
  const [program = '', ...general] = options.program;
  const child = spawn(program, [...general, '--json', ...words], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: environmentOf(options),
  });
  const stop = () => child.kill('SIGINT');
  options.signal.addEventListener('abort', stop, { once: true });
  try {
    relayPermits(child.stdio[3] as Duplex, options.supervision);
    hear(child.stdout as Readable, options);
    const said = failureIn(child.stderr as Readable);
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    options.signal.throwIfAborted();
    if (code !== null && GOOD.has(code)) return code === 0 ? null : 'done in part: see what it warned of';
    throw said() ?? new Failure('internal', `The command ended with ${code ?? 'a signal'}.`);
  } finally {
    options.signal.removeEventListener('abort', stop);
  }
}

function environmentOf({ environment, supervision }: ChildOptions): ChildOptions['environment'] {
  if (supervision === undefined) return environment;
  return { ...environment, HOLDFAST_SUPERVISED: '3', HOLDFAST_RUN: supervision.run };
}

/** The worker knows only us; the command's questions go on to it. */
function relayPermits(pipe: Duplex, supervision: Supervision | undefined): void {
  pipe.on('error', () => {}); // the command has ended
  const questions = createInterface({ input: pipe });
  questions.on('error', () => {});
  questions.on('line', (line) => {
    const { step } = parseJsonObject(line) ?? {};
    const permitted = supervision === undefined ? Promise.resolve() : supervision.permit(String(step));
    const answer = (permit: boolean) => void pipe.write(`${JSON.stringify({ permit })}\n`);
    permitted.then(
      () => answer(true),
      () => answer(false),
    );
  });
}

/** The command's steps become the detail of ours; its warnings are ours. */
function hear(stdout: Readable, { progress, step }: ChildOptions): void {
  createInterface({ input: stdout }).on('line', (line) => {
    const told = parseJsonObject(line);
    if (told === undefined) return;
    const text = (name: string) => (typeof told[name] === 'string' ? told[name] : undefined);
    const message = text('message');
    if (told.message_type === 'status' && told.state !== 'note') {
      progress({ type: 'advance', step, current: describe(told) });
    } else if (message !== undefined && (told.message_type === 'error' || told.message_type === 'status')) {
      const hint = text('hint');
      if (told.message_type === 'status') progress({ type: 'note', message });
      else progress({ type: 'warning', message, ...(hint === undefined ? {} : { hint }) });
    }
  });
}

function describe({ title, percent_done: percent, eta_s: eta }: JsonObject): string {
  const done = typeof percent === 'number' ? `, ${percent.toFixed(0)} %` : '';
  const left = typeof eta === 'number' ? `, about ${eta} s more` : '';
  return `${String(title ?? '')}${done}${left}`;
}

/** Its last words: the failure it ended with, or what else it printed. */
function failureIn(stderr: Readable): () => Failure | undefined {
  let captured = '';
  stderr.on('data', (chunk: Buffer) => {
    captured = (captured + chunk.toString('utf8')).slice(-CAPTURED);
  });
  return () => {
    const ended = captured
      .split('\n')
      .map((line) => parseJsonObject(line))
      .filter((told) => told !== undefined);
    const error = ended.findLast(({ message_type: type }) => type === 'exit_error');
    if (error === undefined) return captured.trim() === '' ? undefined : new Failure('internal', captured.trim());
    const { message, hint, error: code } = error;
    return new Failure('step_failed', `${String(message)} (${String(code)})`, typeof hint === 'string' ? { hint } : {});
  };
}
