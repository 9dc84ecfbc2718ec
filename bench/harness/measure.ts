/** Runs one command and measures it: wall time, processor time and peak memory, as the kernel accounts them to `time(1)`. */
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { type Finished, run } from '../../test/support/run.ts';

const TIME = '/usr/bin/time';
/** Nothing measured here may take longer. */
const TIMEOUT_MS = 15 * 60_000;

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Account that runs it; default ours. */
  readonly account?: { readonly uid: number; readonly gid: number } | undefined;
}

export interface Sample {
  /** Seconds. */
  readonly wall: number;
  /** User and system time of the command and everything it waited for, in seconds. */
  readonly cpu: number;
  /** Peak resident memory of its largest process, in bytes. */
  readonly rss: number;
  /** What the command printed. */
  readonly output: string;
}

/** Runs `command`; throws with all it said unless it exits with 0. `scratch` is a directory for the figures. */
export async function measure(command: Command, scratch: string): Promise<Sample> {
  const { program, args, env, cwd, account } = command;
  if (!existsSync(TIME)) throw new Error(`${TIME} is missing: apt-get install time`);
  const figures = join(scratch, `time-${process.pid}`);
  const privileges = account ? ['setpriv', `--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'] : [];
  const started = systemClock.monotonic();
  const done = await run(TIME, ['-o', figures, '-f', '%U %S %M', ...privileges, program, ...args], {
    timeoutMs: TIMEOUT_MS,
    ...(env ? { env } : {}),
    ...(cwd ? { cwd } : {}),
  });
  const wall = (systemClock.monotonic() - started) / 1000;
  if (done.code !== 0) throw new Error(refusal(command, done));
  const [user = 0, system = 0, kib = 0] = (await readFile(figures, 'utf8')).trim().split(/\s+/).map(Number);
  await rm(figures);
  return { wall, cpu: user + system, rss: kib * 1024, output: done.stdout };
}

function refusal({ program, args }: Command, done: Finished): string {
  const ending = done.timedOut ? 'timed out' : `ended with ${done.code ?? done.signal}`;
  return `${program} ${args.join(' ')} ${ending}\n${done.stdout.slice(-4000)}${done.stderr.slice(-4000)}`;
}

/** Several samples of one thing one after the other: times and output add up, memory is the largest. */
export function together(samples: readonly Sample[]): Sample {
  return {
    wall: samples.reduce((sum, { wall }) => sum + wall, 0),
    cpu: samples.reduce((sum, { cpu }) => sum + cpu, 0),
    rss: Math.max(...samples.map(({ rss }) => rss)),
    output: samples.map(({ output }) => output).join(''),
  };
}
