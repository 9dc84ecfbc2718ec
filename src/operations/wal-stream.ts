/** The WAL stream of one source, until it is asked to stop. */
import { setFlagsFromString } from 'node:v8';
import { Failure } from '../base/failure.ts';
import { given } from '../base/given.ts';
import type { PostgresSourceSettings } from '../config/settings.ts';
import { parseConnectionUrl } from '../postgres/connection-settings.ts';
import { type StreamWalOutcome, streamWal } from '../wal/stream.ts';
import { thisProcess } from './holder.ts';
import type { Session } from './session.ts';
import { basesAfterGaps } from './wal/base-after-gap.ts';
import { foldRegularly } from './wal/fold-regularly.ts';
import type { OwnProgram } from './wal/own-process.ts';
import { slotOf } from './wal/server.ts';

export { formatLsn } from '../postgres/lsn.ts';
export type { StreamWalOutcome } from '../wal/stream.ts';

export interface WalStreamInput {
  readonly app: string;
  readonly source: PostgresSourceSettings;
  readonly requiredCopies: number;
  /** Milliseconds after which it stops by itself; absent: never. */
  readonly duration?: number;
  /** What folds old WAL and makes base backups, each in a process of its own. */
  readonly own: OwnProgram;
  /** Milliseconds between two turns; defaults: see `foldRegularly`, `basesAfterGaps`. */
  readonly foldEvery?: number;
  readonly lookEvery?: number;
  /** Milliseconds between two looks at the slot; default: see `streamWal`. */
  readonly slotCheckMs?: number;
}

/**
 * The buffers of a piece come and go, and each time V8 begins to mark the whole heap, little by little and on its helpers: once or twice for
 * each piece. Marking it when it has grown, and then at once, is a tenth of that work, and takes some milliseconds.
 */
const COLLECT_AT_ONCE = '--no-incremental-marking';

/** Folds old WAL from time to time, and has a base backup made after a gap. Throws what cannot be mended by trying again; see `streamWal`. */
export async function walStream(session: Session, input: WalStreamInput): Promise<StreamWalOutcome> {
  setFlagsFromString(COLLECT_AT_ONCE);
  const { repository, progress, clock, signal } = session;
  const { app, source, requiredCopies, duration, own, foldEvery, lookEvery, slotCheckMs } = input;
  const { spool, spoolLimit, flushEvery, acknowledge, slotLimit } = source.wal;
  const storages = repository.replicas.length + repository.lost.length;
  if (acknowledge !== 'spool' && acknowledge > storages) {
    throw new Failure('config_invalid', `wal.acknowledge asks for ${acknowledge} of ${storages} storages.`);
  }
  const time = duration === undefined ? [] : [AbortSignal.timeout(duration)];
  const stop = AbortSignal.any([signal, ...time]);
  const ended = new AbortController();
  const beside = { ...session, signal: AbortSignal.any([stop, ended.signal]) };
  let gaps = 0;
  const work = [foldRegularly(beside, { ...own, source, ...given('every', foldEvery) })];
  if (source.wal.baseAfterGap)
    work.push(basesAfterGaps(beside, { ...own, app, source, gaps: () => gaps, ...given('every', lookEvery) }));
  const streaming = streamWal({
    ...{ repository, app, source: source.name, progress, clock, requiredCopies },
    ...{ flushEvery, acknowledge, slotLimit, ...given('slotCheckMs', slotCheckMs) },
    connection: parseConnectionUrl(source.url),
    slot: slotOf(app, source),
    spool: { directory: spool, limit: spoolLimit },
    onGap: () => {
      gaps += 1;
    },
    stop,
    pid: thisProcess().pid,
  });
  try {
    return await streaming;
  } finally {
    ended.abort();
    await Promise.all(work);
  }
}
