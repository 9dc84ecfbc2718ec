/** Folding beside a stream that runs for years: every hour, or as often as `wal.foldAfter` says where that is shorter. */
import type { PackingSettings, PostgresSourceSettings } from '../../config/settings.ts';
import { readStreamState } from '../../wal/stream-state.ts';
import { bestEffort } from '../best-effort.ts';
import type { Session } from '../session.ts';
import { walFold } from '../wal-fold.ts';

export interface RegularFolding {
  readonly app: string;
  readonly source: PostgresSourceSettings;
  readonly packing: PackingSettings;
  readonly programVersion: string;
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
async function foldOnce(session: Session, { app, source, packing, programVersion }: RegularFolding): Promise<void> {
  const state = await readStreamState(source.wal.spool);
  if (state === undefined || state.systemIdentifier === null) return;
  const { systemIdentifier } = state;
  const { foldAfter } = source.wal;
  const { segments, failures } = await walFold(session, { app, foldAfter, packing, programVersion, systemIdentifier });
  const known = new Set(session.repository.lost.map(({ name }) => name));
  for (const [storage, { message }] of failures)
    if (!known.has(storage)) session.progress({ type: 'warning', storage, message });
  if (segments > 0) session.progress({ type: 'note', message: `${segments} segments of WAL folded into snapshots.` });
}
