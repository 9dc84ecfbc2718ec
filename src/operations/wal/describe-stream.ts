/** What a running stream says of itself, as `wal status --json` tells it: positions as they are, times as RFC 3339 in UTC. Pure. */
import { formatMicroseconds } from '../../base/relative-time.ts';
import type { StorageStreamState, StreamState } from '../../wal/stream-state.ts';
import type { StorageStreamStatus, StreamStatus } from './report.ts';

export interface HeardStream extends StreamState {
  /** It still speaks. */
  readonly alive: boolean;
}

/** The fields of an older program's stream may be absent. */
export function describeStream(stream: HeardStream): StreamStatus {
  return {
    ...{ alive: stream.alive, status: stream.status, pid: stream.pid },
    ...{ app: stream.app, source: stream.source, slot: stream.slot },
    ...{ since: instant(stream.since), updated: instant(stream.updated) },
    ...{ system_identifier: stream.systemIdentifier ?? null, timeline: stream.timeline ?? null },
    ...{ server: stream.server ?? null, received: stream.received ?? null, durable: stream.durable ?? null },
    ...{ acknowledged: stream.acknowledged ?? null, commits_end: stream.commitsEnd ?? null },
    ...{ last_commit_received: commitTime(stream.lastCommitReceived), level: instant(stream.level) },
    storages: Object.fromEntries(Object.entries(stream.storages).map(([name, state]) => [name, ofStorage(state)])),
    ...{ spool_bytes: stream.spoolBytes, slot_bytes: stream.slotBytes ?? null, synchronous: stream.synchronous },
    ...{ gaps: stream.gaps, last_error: stream.lastError ?? null },
  };
}

function ofStorage({ stored, lastCommit, pending, error }: StorageStreamState): StorageStreamStatus {
  return { stored, last_commit: commitTime(lastCommit), pending, error };
}

/** The file is this machine's, and still only a file: what is no time is none. */
function instant(ms: number | null | undefined): string | null {
  const date = new Date(ms ?? NaN);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

function commitTime(digits: string | null | undefined): string | null {
  return digits !== null && digits !== undefined && /^\d{1,18}$/.test(digits)
    ? formatMicroseconds(BigInt(digits))
    : null;
}
