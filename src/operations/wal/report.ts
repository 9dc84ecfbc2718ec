/** What `wal status` tells of one database, as plain values: positions as PostgreSQL writes them, times as RFC 3339 in UTC. */
import type { GapReason } from '../../wal/gaps.ts';
import type { StreamState } from '../../wal/stream-state.ts';
import type { Loss } from './loss.ts';
import type { SlotState } from './server.ts';

export interface WindowStatus {
  /** Any moment from the end of the base backup to the latest commit. */
  readonly from: string;
  readonly to: string;
  readonly from_lsn: string;
  readonly to_lsn: string;
  readonly timeline: number;
  /** Base backups that lead into it. */
  readonly bases: number;
}

export interface GapStatus {
  readonly timeline: number;
  readonly from_lsn: string;
  readonly to_lsn: string | null;
  /** Moments between these cannot be restored. Null: there is no moment before it, and no point after it yet. */
  readonly from: string | null;
  readonly to: string | null;
  /** The first point after it: from there on moments can be restored again, and the gap is history. */
  readonly next_point: string | null;
  readonly reason: GapReason | null;
  readonly detail: string | null;
}

export interface StorageWalStatus {
  /** The end of the newest log it holds; null when it holds none. */
  readonly timeline: number | null;
  readonly lsn: string | null;
  readonly last_commit: string | null;
  /** Bytes of the newest stretch that other storages hold and this one lacks. */
  readonly behind_bytes: number | null;
  readonly error: string | null;
}

export interface StorageStreamStatus {
  /** Held without a hole up to here; null while that is not known. */
  readonly stored: string | null;
  readonly last_commit: string | null;
  /** Objects on their way. */
  readonly pending: number;
  readonly error: string | null;
}

/** What the stream of this machine says of itself; see `StreamState`. */
export interface StreamStatus {
  /** It still speaks. */
  readonly alive: boolean;
  readonly status: StreamState['status'];
  readonly pid: number;
  readonly app: string;
  readonly source: string;
  readonly slot: string;
  /** Since when it has this status, and when it last said so. */
  readonly since: string | null;
  readonly updated: string | null;
  readonly system_identifier: string | null;
  readonly timeline: number | null;
  /** The end of the server's log, as last heard. */
  readonly server: string | null;
  readonly received: string | null;
  readonly durable: string | null;
  readonly acknowledged: string | null;
  /** Every commit that was received ends here or before. */
  readonly commits_end: string | null;
  readonly last_commit_received: string | null;
  /** Everything that the server had written at this time was received. */
  readonly level: string | null;
  readonly storages: Readonly<Record<string, StorageStreamStatus>>;
  readonly spool_bytes: number;
  readonly slot_bytes: number | null;
  readonly synchronous: boolean;
  readonly gaps: number;
  readonly last_error: string | null;
}

export interface SourceWalStatus {
  readonly source: string;
  readonly mode: 'stream' | 'push' | 'off';
  /** Null while nothing tells which cluster it is. */
  readonly system_identifier: string | null;
  readonly windows: readonly WindowStatus[];
  readonly gaps: readonly GapStatus[];
  /** Timelines whose history file is missing. */
  readonly missing_histories: readonly number[];
  /** The newest that is archived. */
  readonly archived: { readonly timeline: number; readonly lsn: string; readonly last_commit: string | null } | null;
  readonly server: {
    readonly lsn: string;
    readonly timeline: number | null;
    /** What the archive lacks of it; null when the server is another cluster. */
    readonly lag_bytes: number | null;
    readonly archive_command: {
      readonly last_archived: string | null;
      readonly failed: number;
      readonly last_failed: string | null;
    };
  } | null;
  /** Why there is no `server`; null when it was not asked. */
  readonly server_error: string | null;
  /** If the server died now. */
  readonly loss: Loss;
  readonly storages: Readonly<Record<string, StorageWalStatus>>;
  readonly slot: SlotState | null;
  readonly stream: StreamStatus | null;
}
