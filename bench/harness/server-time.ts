/** Processor time of a PostgreSQL server with all its processes: what a backup costs on the other side of the connection. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Ticks of `/proc/PID/stat` in a second; Linux reports them at this rate on every machine. */
const TICKS = 100;
/** The server counts a process once it has ended and was waited for. */
const REAPED_MS = 300;

/** Seconds used so far by process `pid` and by those of its children that have ended. */
export async function processorTime(pid: number): Promise<number> {
  await sleep(REAPED_MS);
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15);
  return (user + system + childUser + childSystem) / TICKS;
}
