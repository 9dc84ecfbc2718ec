/** A program that runs until it is told to stop, measured like a command: processor time and peak memory by `time(1)`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import type { Command, Sample } from '../harness/measure.ts';

export interface Timed {
  /** Seconds of processor time so far. */
  used(): Promise<number>;
  /** Sends SIGINT to the program and waits for its end. */
  stop(): Promise<Sample>;
}

/** In which the system counts processor time, to a second. */
const TICKS = 100;

/** `scratch` is a directory for the figures and for what the program says. */
export function startTimed({ program, args, env, account }: Command, scratch: string): Timed {
  const figures = join(scratch, `timed-${process.pid}`);
  const privileges = account ? ['setpriv', `--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'] : [];
  const child = spawn('/usr/bin/time', ['-o', figures, '-f', '%U %S %M', ...privileges, program, ...args], {
    stdio: 'ignore',
    env: { ...process.env, ...env },
  });
  const started = systemClock.monotonic();
  const running = async (): Promise<number | undefined> => {
    const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
    return children.trim().split(' ').map(Number)[0] || undefined;
  };
  const used = async (): Promise<number> => {
    const [, state = ''] = (await readFile(`/proc/${await running()}/stat`, 'utf8')).split(') ');
    const [user = 0, system = 0] = state.split(' ').slice(11, 13).map(Number);
    return (user + system) / TICKS;
  };
  const stop = async (): Promise<Sample> => {
    const pid = await running();
    if (pid) process.kill(pid, 'SIGINT');
    await once(child, 'exit');
    const wall = (systemClock.monotonic() - started) / 1000;
    const lines = (await readFile(figures, 'utf8')).trim().split('\n');
    const [user = 0, system = 0, kib = 0] = (lines.at(-1) ?? '').split(/\s+/).map(Number);
    await rm(figures);
    return { wall, cpu: user + system, rss: kib * 1024, output: '' };
  };
  return { used, stop };
}
