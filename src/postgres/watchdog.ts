/**
 * Stops a server when this process is gone, however it ended: a shell waits on a pipe that only we hold open. Exit hooks do not run
 * for a process that a signal ends.
 */
import { spawn } from 'node:child_process';

export interface Watchdog {
  /** The server has ended by itself: there is nothing to watch. */
  release(): void;
}

/** A server that nobody waits for any more may stay a zombie: then its files are no longer in use either. */
const SCRIPT = `read -r word
test "$word" = released && exit
kill -QUIT "$0"
turns=0
while kill -0 "$0" 2>/dev/null && test "$turns" -lt 300; do
  case $(cut -d' ' -f3 "/proc/$0/stat" 2>/dev/null) in Z) break ;; esac
  sleep 0.1
  turns=$((turns + 1))
done
rm -rf -- "$@"`;

/**
 * When this process ends: sends SIGQUIT (immediate shutdown) to `pid`, waits for its end and removes the directories `leftovers`. Keeps
 * neither the event loop nor the terminal busy.
 */
export function watch(pid: number, leftovers: readonly string[]): Watchdog {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, String(pid), ...leftovers], {
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
