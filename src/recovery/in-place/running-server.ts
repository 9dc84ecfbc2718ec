/** Whether a PostgreSQL server runs on a data directory. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../base/failure.ts';
import { isAlive } from '../../base/process-alive.ts';

export type ServerState = 'stopped' | 'left-over';

/**
 * Throws `target_unsafe` when the process named in `postmaster.pid` lives. `left-over`: there is such a file, but no such process here; the
 * server crashed, or runs in another container.
 */
export async function assertServerStopped(directory: string): Promise<ServerState> {
  const text = await readFile(join(directory, 'postmaster.pid'), 'utf8').catch(() => undefined);
  if (text === undefined) return 'stopped';
  const pid = Number(text.split('\n', 1)[0]);
  if (!Number.isSafeInteger(pid) || pid <= 0 || !isAlive(pid)) return 'left-over';
  throw new Failure(
    'target_unsafe',
    `PostgreSQL is running in ${directory} (process ${pid}); it must not lose its files.`,
    {
      hint: `Stop it, or let hooks.beforeRestore stop it: pg_ctl -D ${directory} stop -m fast`,
      details: { pid },
    },
  );
}
