/** What the manifest of a point tells about how the copy of a cluster was made. Plain JSON. */
import type { BaseBackupResult } from '../../postgres/base-backup.ts';
import type { DamagedPages } from '../../postgres/damage.ts';
import { formatLsn } from '../../postgres/lsn.ts';
import type { LastFull } from './base-copy.ts';
import type { BackupTally } from './entries.ts';
import type { StartedBackup } from './start-backup.ts';

export interface BackupFacts {
  readonly label: string;
  /** How it was read: everything, or what changed since `base`. The point is whole either way. Absent before this was told: `full`. */
  readonly kind?: 'full' | 'incremental';
  readonly base?: { readonly point: string; readonly startLsn: string };
  /** Pages that came as changes. */
  readonly changedPages?: number;
  /** Why it was not incremental. */
  readonly fallback?: string;
  readonly lastFull?: LastFull;
  readonly comparison?: Comparison;
  /** Log positions: the copy needs all WAL from `startLsn` on, and is consistent from `stopLsn` on. */
  readonly startLsn: string;
  readonly stopLsn: string;
  readonly timeline: number;
  readonly files: number;
  readonly bytes: number;
  readonly walSegments: number;
  /** The server manifest's checksum of itself (SHA-256, hexadecimal); every file was verified against that manifest. */
  readonly manifestChecksum: string;
  /** Where each tablespace was; in the point it is under `pg_tblspc/<oid>`. */
  readonly tablespaces: readonly { readonly oid: string; readonly location: string }[];
  /** Not empty: the server found pages with wrong checksums, and the point holds them as they were. */
  readonly damagedPages: readonly DamagedPages[];
}

/** A full reading held against the earlier point: what did not change since, by the server's account, must be the same. */
export interface Comparison {
  /** The earlier point. */
  readonly point: string;
  /** Pages that were compared. */
  readonly pages: number;
  /** Pieces that differ, and the first of them. */
  readonly different: number;
  readonly examples: readonly string[];
}

/** Facts of a backup that ended well; `now` in milliseconds. */
export function backupFacts(
  label: string,
  started: StartedBackup,
  result: BaseBackupResult,
  tally: BackupTally,
  now: number,
): BackupFacts {
  const { backup } = started;
  return {
    label,
    ...kindFacts(started, now),
    startLsn: formatLsn(backup.startLsn),
    stopLsn: formatLsn(result.stopLsn),
    timeline: backup.timeline,
    ...tally,
    manifestChecksum: result.manifest.checksum,
    tablespaces: backup.tablespaces,
    damagedPages: result.damaged,
  };
}

function kindFacts({ base, changes, fallback }: StartedBackup, now: number): Partial<BackupFacts> {
  if (base === undefined) {
    const lastFull = { time: new Date(now).toISOString(), incrementals: 0 };
    return { kind: 'full', ...(fallback === undefined ? {} : { fallback: fallback.reason }), lastFull };
  }
  return {
    kind: 'incremental',
    base: { point: base.point, startLsn: base.startLsn },
    changedPages: changes?.check.pages ?? 0,
    lastFull: { ...base.lastFull, incrementals: base.lastFull.incrementals + 1 },
  };
}
