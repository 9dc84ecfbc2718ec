/** The WAL stream of one source, until it is asked to stop. */
import { Failure } from '../base/failure.ts';
import type { Configuration } from '../config/configuration.ts';
import type { PostgresSourceSettings } from '../config/settings.ts';
import { parseConnectionUrl } from '../postgres/connection-settings.ts';
import { slotName } from '../postgres/wal-subscription.ts';
import { type StreamWalOutcome, streamWal } from '../wal/stream.ts';
import { thisProcess } from './holder.ts';
import type { Session } from './session.ts';

export { formatLsn } from '../postgres/lsn.ts';
export type { StreamWalOutcome } from '../wal/stream.ts';

export interface WalStreamInput {
  readonly app: string;
  readonly source: PostgresSourceSettings;
  readonly requiredCopies: number;
  /** Milliseconds after which it stops by itself; absent: never. */
  readonly duration?: number;
}

/** The source that is streamed: the one asked for, or the only one whose `wal` is `stream`. */
export async function streamedSource(
  config: Configuration,
  app: string,
  asked: string | undefined,
): Promise<PostgresSourceSettings> {
  const names = config.sourceTypes(app).flatMap(({ name, type }) => (type === 'postgres' ? [name] : []));
  const all = await Promise.all((asked === undefined ? names : [asked]).map((name) => config.source(app, name)));
  const streamed = all.flatMap((source) =>
    source.type === 'postgres' && source.wal.mode === 'stream' ? [source] : [],
  );
  if (streamed.length === 1) return streamed[0]!;
  if (streamed.length > 1) {
    const choice = streamed.map(({ name }) => name).join(', ');
    throw new Failure('source_unknown', 'Which source is meant?', { hint: `Say it with --source: ${choice}.` });
  }
  const what = asked === undefined ? `App ${app} has no source` : `Source ${asked} is none`;
  throw new Failure('config_invalid', `${what} whose WAL is streamed.`, {
    hint: 'Write "wal: stream" at the postgres source in the configuration.',
  });
}

/** Throws what cannot be mended by trying again; see `streamWal`. */
export async function walStream(session: Session, input: WalStreamInput): Promise<StreamWalOutcome> {
  const { repository, progress, clock, signal } = session;
  const { app, source, requiredCopies, duration } = input;
  const { slot, spool, spoolLimit, flushEvery, acknowledge, slotLimit } = source.wal;
  const storages = repository.replicas.length + repository.lost.length;
  if (acknowledge !== 'spool' && acknowledge > storages) {
    throw new Failure('config_invalid', `wal.acknowledge asks for ${acknowledge} of ${storages} storages.`);
  }
  const time = duration === undefined ? [] : [AbortSignal.timeout(duration)];
  return streamWal({
    ...{ repository, app, source: source.name, progress, clock, requiredCopies },
    ...{ flushEvery, acknowledge, slotLimit },
    connection: parseConnectionUrl(source.url),
    slot: slotName(slot ?? `holdfast_${app}_${source.name}`),
    spool: { directory: spool, limit: spoolLimit },
    stop: AbortSignal.any([signal, ...time]),
    pid: thisProcess().pid,
  });
}
