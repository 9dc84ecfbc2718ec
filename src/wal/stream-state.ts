/**
 * What a stream tells about itself: `<spool>/state.json`, replaced as a whole about once a second. Others read it to show lag and trouble;
 * nothing depends on it.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { replaceFile } from './spool/replace-file.ts';

const NAME = 'state.json';

/**
 * `connecting`: looking for the server · `streaming` · `paused`: the spool is full, the server keeps its WAL · `waiting`: the last try to
 * connect or to stream failed, the next follows · `stopped`: ended as asked · `failed`: ended by itself, `lastError` says why.
 */
export const STREAM_STATUSES = ['connecting', 'streaming', 'paused', 'waiting', 'stopped', 'failed'] as const;
export type StreamStatus = (typeof STREAM_STATUSES)[number];

/** Positions are written like `0/3000060`; commit times are microseconds since the Unix epoch, as decimal digits. */
export interface StorageStreamState {
  /** Held without a hole up to here; null while that is not known. */
  readonly stored: string | null;
  readonly lastCommit: string | null;
  /** Objects on their way. */
  readonly pending: number;
  readonly error: string | null;
}

export interface StreamState {
  readonly format: 1;
  readonly pid: number;
  readonly app: string;
  readonly source: string;
  readonly slot: string;
  readonly systemIdentifier: string | null;
  readonly timeline: number | null;
  readonly status: StreamStatus;
  /** Since when it has this status, and when this was written: milliseconds since the epoch. */
  readonly since: number;
  readonly updated: number;
  /** The end of the server's log, as last heard. */
  readonly server: string | null;
  readonly received: string | null;
  /** On disk in the spool. */
  readonly durable: string | null;
  /** What the server was told it may take for safe. */
  readonly acknowledged: string | null;
  readonly lastCommitReceived: string | null;
  /** Every commit that was received ends here or before, whatever its time; null while that is not known. */
  readonly commitsEnd: string | null;
  /** Everything that the server had written at this time was received: milliseconds since the epoch; null while that is not known. */
  readonly level: number | null;
  /** By name. */
  readonly storages: Readonly<Record<string, StorageStreamState>>;
  /** Bytes waiting in the spool. */
  readonly spoolBytes: number;
  /** Bytes of WAL that the slot makes the server keep. */
  readonly slotBytes: number | null;
  /** Whether commits of the server wait for this stream (synchronous_standby_names). */
  readonly synchronous: boolean;
  /** WAL was lost since this process began: moments after it need a new base backup. */
  readonly gaps: number;
  readonly lastError: string | null;
}

/** The state as it was last written; undefined where there is none that makes sense. */
export async function readStreamState(spool: string): Promise<StreamState | undefined> {
  try {
    const value = JSON.parse(await readFile(join(spool, NAME), 'utf8')) as Partial<StreamState> | null;
    const isKnown = value?.format === 1 && STREAM_STATUSES.includes(value.status as StreamStatus);
    if (!isKnown || typeof value.pid !== 'number' || typeof value.updated !== 'number') return undefined;
    if (typeof value.storages !== 'object' || value.storages === null) return undefined;
    return value as StreamState;
  } catch {
    return undefined;
  }
}

/** Whether what was read can be believed: a stream that runs writes every few seconds. */
export function isFresh(state: StreamState, clock: Clock): boolean {
  return state.status !== 'stopped' && state.status !== 'failed' && clock.now() - state.updated < 15_000;
}

export async function writeStreamState(spool: string, state: StreamState): Promise<void> {
  await replaceFile(join(spool, NAME), `${JSON.stringify(state)}\n`, false);
}
