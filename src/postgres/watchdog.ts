/**
 * Stops a server when this process is gone, however it ended: a shell waits on a pipe that only we hold open. Exit hooks do not run
 * for a process that a signal ends.
 */
import { spawn } from 'node:child_process';

export interface Watchdog {
  /** The server has ended by itself: there is nothing to watch. */
  release(): void;
}

/** Sends SIGQUIT (immediate shutdown) to `pid` when this process ends. Keeps neither the event loop nor the terminal busy. */
export function watch(pid: number): Watchdog {
  const shell = spawn('/bin/sh', ['-c', 'read -r word; test "$word" = released || kill -QUIT "$0"', String(pid)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.on('error', () => {});
  shell.stdin.on('error', () => {});
  shell.unref();
  (shell.stdin as typeof shell.stdin & { unref?: () => void }).unref?.();
  return { release: () => shell.stdin.end('released\n') };
}
