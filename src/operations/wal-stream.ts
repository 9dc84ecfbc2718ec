/** The WAL stream of one source, until it is asked to stop. */
import { Failure } from '../base/failure.ts';
import type { PostgresSourceSettings } from '../config/settings.ts';
import { parseConnectionUrl } from '../postgres/connection-settings.ts';
import { type StreamWalOutcome, streamWal } from '../wal/stream.ts';
import { thisProcess } from './holder.ts';
import type { Session } from './session.ts';
import { foldRegularly, type RegularFolding } from './wal/fold-regularly.ts';
import { slotOf } from './wal/server.ts';

export { formatLsn } from '../postgres/lsn.ts';
export type { StreamWalOutcome } from '../wal/stream.ts';

export interface WalStreamInput {
  readonly app: string;
  readonly source: PostgresSourceSettings;
  readonly requiredCopies: number;
  /** Milliseconds after which it stops by itself; absent: never. */
  readonly duration?: number;
  /** What folds old WAL; see `foldRegularly`. */
  readonly folding: Omit<RegularFolding, 'source'>;
}

/** Folds old WAL from time to time. Throws what cannot be mended by trying again; see `streamWal`. */
export async function walStream(session: Session, input: WalStreamInput): Promise<StreamWalOutcome> {
  const { repository, progress, clock, signal } = session;
  const { app, source, requiredCopies, duration } = input;
  const { spool, spoolLimit, flushEvery, acknowledge, slotLimit } = source.wal;
  const storages = repository.replicas.length + repository.lost.length;
  if (acknowledge !== 'spool' && acknowledge > storages) {
    throw new Failure('config_invalid', `wal.acknowledge asks for ${acknowledge} of ${storages} storages.`);
  }
  const time = duration === undefined ? [] : [AbortSignal.timeout(duration)];
  const stop = AbortSignal.any([signal, ...time]);
  const ended = new AbortController();
  const beside = { ...session, signal: AbortSignal.any([stop, ended.signal]) };
  const folding = foldRegularly(beside, { ...input.folding, source });
  const streaming = streamWal({
    ...{ repository, app, source: source.name, progress, clock, requiredCopies },
    ...{ flushEvery, acknowledge, slotLimit },
    connection: parseConnectionUrl(source.url),
    slot: slotOf(app, source),
    spool: { directory: spool, limit: spoolLimit },
    stop,
    pid: thisProcess().pid,
  });
  try {
    return await streaming;
  } finally {
    ended.abort();
    await folding;
  }
}
