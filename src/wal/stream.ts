/**
 * The WAL stream of one cluster: server → spool → pieces → storages, until it is asked to stop. Reconnects without a hole, follows
 * promotions, keeps to one cluster, and guards the disk of the server.
 */
import { type Clock, systemClock } from '../base/clock.ts';
import { asFailure, type Failure } from '../base/failure.ts';
import type { Progress } from '../base/progress.ts';
import type { ConnectionSettings } from '../postgres/connection-settings.ts';
import type { Lsn } from '../postgres/lsn.ts';
import type { Repository } from '../repository/repository.ts';
import { WalArchive } from './archive.ts';
import { Spool } from './spool.ts';
import { firstContact } from './stream/connect.ts';
import { Stream } from './stream/run.ts';

export interface StreamWalOptions {
  readonly repository: Repository;
  readonly app: string;
  readonly source: string;
  readonly connection: ConnectionSettings;
  /** Of the form that `slotName` gives. Also the name under which the server knows the stream (application_name). */
  readonly slot: string;
  /** `limit`: bytes that may wait there. */
  readonly spool: { readonly directory: string; readonly limit: number };
  /** Milliseconds from a commit until the storages have it. */
  readonly flushEvery: number;
  /** Where WAL must be before the server may take it for safe: the spool, or so many storages. */
  readonly acknowledge: 'spool' | number;
  /** Bytes of WAL that the server may have to keep for us. */
  readonly slotLimit: number;
  /** How often the slot is looked at, in ms. Default 10 s. */
  readonly slotCheckMs?: number;
  readonly requiredCopies: number;
  readonly progress: Progress;
  /** A gap whose end is known is on record in the storages. */
  readonly onGap?: () => void;
  /** Ends the stream cleanly. */
  readonly stop: AbortSignal;
  readonly pid: number;
  readonly clock?: Clock;
}

export interface StreamWalOutcome {
  readonly systemIdentifier: string;
  /** 0 when nothing was received. */
  readonly timeline: number;
  /** The end of what was received, and of what enough storages hold. */
  readonly received: Lsn;
  readonly stored: Lsn;
  /** Holes that were put on record: moments after them need a new base backup. */
  readonly gaps: number;
  /** Storages that could not take everything, each with its reason. */
  readonly failures: ReadonlyMap<string, Failure>;
}

/** Streams until `stop` fires. Throws what cannot be mended by trying again. */
export async function streamWal(options: StreamWalOptions): Promise<StreamWalOutcome> {
  const { clock = systemClock, stop, repository, spool: place } = options;
  await using spool = await Spool.open(place.directory, { clock, signal: stop });
  if (spool.cluster === undefined) await spool.adopt(await firstContact({ ...options, clock }));
  const archive = new WalArchive(repository, spool.cluster!.systemIdentifier);
  const stream = new Stream({ ...options, clock }, { spool, archive });
  try {
    return await stream.run();
  } catch (error) {
    throw asFailure(error);
  }
}
