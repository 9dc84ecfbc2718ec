/** Waiting for what must come to pass, however long it takes on the machine at hand. */
import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 25;
/** Ten minutes at least: only a wait in vain comes to that, and it is told before the whole test file is given up. */
const LOOKS = 24_000;

/** What `look` answers, as soon as that is neither false nor missing. */
export async function until<T>(look: () => T | Promise<T>): Promise<Exclude<Awaited<T>, false | null | undefined>> {
  for (let looks = 0; looks < LOOKS; looks++) {
    const seen = await look();
    if (seen !== false && seen !== null && seen !== undefined)
      return seen as Exclude<Awaited<T>, false | null | undefined>;
    await sleep(PAUSE_MS);
  }
  throw new Error('It did not come to pass.');
}
