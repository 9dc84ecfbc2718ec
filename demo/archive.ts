/** Seconds to come back to. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';

/** Lets the clock of the server go on by more than a second, and tells the second before: what was committed is older, what follows is newer. */
export async function secondBetween(client: ClientBase): Promise<string> {
  await sleep(1100);
  const { rows } = await client.query<{ now: Date }>(`select date_trunc('second', clock_timestamp()) as now`);
  await sleep(1100);
  return rows[0]!.now.toISOString().replace('.000Z', 'Z');
}
