/** The app's own programs, run against the restored copy: without a shell, with its address in the environment, with an end. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '../../base/clock.ts';
import { watch } from '../../postgres/watchdog.ts';
import { Collector, type Finding } from './finding.ts';

export interface CommandWorld {
  readonly app: string;
  /** They run there. */
  readonly directory: string;
  /** Added to `inherited`. */
  readonly environment: Readonly<Record<string, string>>;
  /** The environment of this process: all of it, because the app's programs need their own. */
  readonly inherited: Readonly<Record<string, string | undefined>>;
  /** For each, in milliseconds. */
  readonly limitMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const KEPT_OUTPUT = 2000;
const SHOWN_OUTPUT = 400;
/** How long a command that was asked to end may take, in ms. */
const KILL_AFTER_MS = 5000;
/** How long the output of a command that has ended may stay open: what it started in the background inherits it. */
const OUTPUT_GRACE_MS = 500;
/** What looks like a secret in output is not kept: `password=…`, the user information of a URL. */
const SECRETS = [
  /((?:password|passwd|secret|token|api[_-]?key)["']?\s*[=:]\s*)\S+/gi,
  /(\w+:\/\/[^\s:/@]*:)[^\s@]+(?=@)/g,
];

/** Undefined without commands. The arguments of a command are not told, only its program: they may hold secrets. */
export async function checkCommands(
  world: CommandWorld,
  commands: readonly (readonly string[])[],
): Promise<Finding | undefined> {
  if (commands.length === 0) return undefined;
  const found = new Collector('commands', world.app, 'commands', world.clock);
  for (const [at, command] of commands.entries()) {
    world.signal.throwIfAborted();
    found.count();
    const name = `${at + 1}. ${command[0]}`;
    const { problem, output } = await runCommand(world, command);
    world.signal.throwIfAborted();
    const said = output === '' ? '' : ` It said: ${output}`;
    if (problem === undefined) found.note(`${name} ended with 0.${said}`);
    else found.problem(`${name} ${problem}.${said}`);
  }
  return found.finish();
}

interface Ended {
  readonly problem: string | undefined;
  readonly output: string;
}

async function runCommand(world: CommandWorld, [program, ...args]: readonly string[]): Promise<Ended> {
  const child = spawn(program ?? '', args, {
    cwd: world.directory,
    env: { ...world.inherited, ...world.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that what it started ends with it.
    detached: true,
  });
  // It and all that it started must not outlive us, should we be killed: a negative number names the group.
  const watchdog = child.pid === undefined ? undefined : watch(-child.pid, []);
  const output = tailOf(child);
  let isLate = false;
  const onAbort = () => endAll(child);
  const timer = setTimeout(() => {
    isLate = true;
    endAll(child);
  }, world.limitMs);
  world.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const { code, signal } = await ending(child);
    if (isLate) return { problem: `did not end within ${world.limitMs / 1000} s and was stopped`, output: output() };
    const status = signal === null ? `ended with ${code}` : `was ended by ${signal}`;
    return { problem: code === 0 ? undefined : status, output: output() };
  } catch (error) {
    return { problem: `could not be started: ${(error as Error).message}`, output: '' };
  } finally {
    watchdog?.release();
    clearTimeout(timer);
    world.signal.removeEventListener('abort', onAbort);
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

function tailOf(child: ChildProcess): () => string {
  let tail = '';
  const keep = (chunk: Buffer) => {
    tail = (tail + chunk.toString('utf8')).slice(-KEPT_OUTPUT);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return () => withoutSecrets(tail).trim().slice(-SHOWN_OUTPUT);
}

export function withoutSecrets(text: string): string {
  return SECRETS.reduce((kept, pattern) => kept.replace(pattern, '$1***'), text);
}

function ending(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
    child.once('exit', (code, signal) => setTimeout(() => resolve({ code, signal }), OUTPUT_GRACE_MS));
  });
}

function endAll({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  const end = (signal: NodeJS.Signals) => {
    try {
      process.kill(-pid, signal);
    } catch {
      // ended by itself in between
    }
  };
  end('SIGTERM');
  setTimeout(() => end('SIGKILL'), KILL_AFTER_MS).unref();
}
