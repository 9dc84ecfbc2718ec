/**
 * After a gap in the log no earlier point leads to the moments that follow: a stream that goes on after one has a point made, by
 * `holdfast backup`.
 *
 * The point is one of the whole app. A moment's files come from the newest point that is not after it, so a point of the database alone would
 * take the files away from every moment until the next backup.
 */
import type { PostgresSourceSettings } from '../../config/settings.ts';
import type { Repository } from '../../repository/repository.ts';
import { listSnapshots } from '../../repository/snapshots.ts';
import { readGaps } from '../../wal/gaps.ts';
import { readStreamState } from '../../wal/stream-state.ts';
import { bestEffort } from '../best-effort.ts';
import { pointsOf } from '../points.ts';
import type { Session } from '../session.ts';
import { readBases } from './bases.ts';
import { type OwnProgram, runInProcess } from './own-process.ts';
import { follows } from './windows.ts';

export interface BasesAfterGaps extends OwnProgram {
  readonly app: string;
  readonly source: PostgresSourceSettings;
  /** How many gaps this stream has put on record so far. */
  readonly gaps: () => number;
  /** Milliseconds between two looks at `gaps`. Default 10 s. */
  readonly every?: number;
}

const EVERY = 10_000;
/** The pause after a failure, in looks: a minute, then twice as long each time, an hour at most. */
const FIRST_PAUSE = 6;
const LONGEST_PAUSE = 360;

/**
 * Until `session.signal`; never throws. The storages are asked once at the beginning, for what an earlier stream left, and once for each new
 * gap. A backup that fails, also because somebody holds the storages, is a warning, and tried again later.
 */
export async function basesAfterGaps(session: Session, work: BasesAfterGaps): Promise<void> {
  const { clock, signal } = session;
  const { gaps, every = EVERY } = work;
  let settled = -1;
  let pause = FIRST_PAUSE;
  try {
    for (;;) {
      await clock.sleep(every, signal);
      const seen = gaps();
      if (seen === settled) continue;
      const systemIdentifier = await streamed(work.source.wal.spool);
      if (systemIdentifier === undefined) continue;
      await bestEffort(session, 'No base backup was made after the gap, which is tried again later', async () => {
        await makeBase(session, work, systemIdentifier);
        settled = seen;
      });
      if (settled === seen) pause = FIRST_PAUSE;
      else {
        await clock.sleep(pause * every, signal);
        pause = Math.min(LONGEST_PAUSE, 2 * pause);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** The cluster; undefined while the stream does not go on. */
async function streamed(spool: string): Promise<string | undefined> {
  const state = await readStreamState(spool);
  return state?.status === 'streaming' ? (state.systemIdentifier ?? undefined) : undefined;
}

async function makeBase(session: Session, work: BasesAfterGaps, systemIdentifier: string): Promise<void> {
  const { repository, signal, progress } = session;
  const gap = (await readGaps(repository, systemIdentifier)).findLast(({ end }) => end !== undefined);
  if (gap === undefined || (await knownBases(repository, work, systemIdentifier)).some((base) => follows(base, gap)))
    return;
  progress({ type: 'note', message: 'A base backup is started: moments after the gap need one.' });
  const words = ['backup', '--reason', 'a gap in the WAL archive'];
  const { short_id: id } = await runInProcess({ ...work, words, signal, progress });
  progress({ type: 'note', message: `Restore point ${id} was made: moments after it can be restored again.` });
}

async function knownBases(repository: Repository, { app, source }: BasesAfterGaps, cluster: string) {
  const { bases } = await readBases(repository, pointsOf(await listSnapshots(repository), app));
  return bases.filter((base) => base.source === source.name && base.systemIdentifier === cluster);
}
