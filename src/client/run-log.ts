/** The log of a run on a server: what was written, and what comes. */
import { getRun, listRunLog, type RunLogLine } from '../api/runs.ts';
import { AGAIN_MS, type Follower, OVER } from './follow.ts';
import { News } from './news.ts';

/** Lines of a page. */
const MOST = 500;

export interface LogWanted {
  readonly run: string;
  /** Only lines above this number. */
  readonly after: number;
  /** The lines to come, too, until the run is over. */
  readonly follow: boolean;
}

/** In order. Throws `run_unknown`. */
export async function* runLog(
  follower: Pick<Follower, 'client' | 'clock' | 'signal'>,
  { run, after, follow }: LogWanted,
): AsyncGenerator<RunLogLine> {
  const { client, clock, signal } = follower;
  const stop = new AbortController();
  const { app } = await client.call(getRun, { params: { run } });
  const news = follow ? new News(client, { run, ...(app === '*' ? {} : { app }) }, stop.signal) : undefined;
  try {
    for (let seen = after; ; ) {
      const { state } = await client.call(getRun, { params: { run } }); // before its lines: none is written after its end
      for (let more = true; more; ) {
        const page = await client.call(listRunLog, { params: { run }, query: { after: seen, limit: MOST } });
        yield* page.items;
        seen = page.items.at(-1)?.seq ?? seen;
        more = page.next !== null;
      }
      if (news === undefined || OVER.includes(state)) return;
      await news.wait(clock, AGAIN_MS, signal);
    }
  } finally {
    stop.abort();
  }
}
