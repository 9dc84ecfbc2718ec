/** A stream that runs for years folds its old WAL: every hour, or as often as `wal.foldAfter` says where that is shorter. */
import type { PostgresSourceSettings } from '../../config/settings.ts';
import { readStreamState } from '../../wal/stream-state.ts';
import { bestEffort } from '../best-effort.ts';
import type { Session } from '../session.ts';
import { type OwnProgram, runInProcess } from './own-process.ts';

export interface RegularFolding extends OwnProgram {
  readonly source: PostgresSourceSettings;
  /** Milliseconds from one turn to the next; default: see above. */
  readonly every?: number;
}

const HOUR = 3_600_000;
const MINUTE = 60_000;

/**
 * Until `session.signal`; never throws. A turn that fails, also because somebody holds the storages, is a warning, and the next one tries
 * again. The stream goes on meanwhile and waits for nothing of it.
 */
export async function foldRegularly(session: Session, folding: RegularFolding): Promise<void> {
  const { clock, signal } = session;
  const { wal } = folding.source;
  const { every = Math.min(HOUR, Math.max(MINUTE, wal.foldAfter)) } = folding;
  try {
    for (;;) {
      await clock.sleep(every, signal);
      await bestEffort(session, 'WAL was not folded, which is tried again later', () => foldOnce(session, folding));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Only the cluster of this stream: another stream of the app folds its own. */
async function foldOnce({ signal, progress }: Session, { source, program, environment }: RegularFolding) {
  const state = await readStreamState(source.wal.spool);
  if (state === undefined || state.systemIdentifier === null) return;
  const { systemIdentifier } = state;
  const words = ['wal', 'fold', '--source', source.name, '--cluster', systemIdentifier];
  const { segments } = await runInProcess({ program, environment, words, signal, progress });
  if (Number(segments) > 0) progress({ type: 'note', message: `${segments} segments of WAL folded into snapshots.` });
}
