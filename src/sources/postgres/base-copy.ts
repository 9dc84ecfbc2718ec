/** An earlier copy of a cluster that an incremental backup can build on, and why a backup is a full one instead. */
import { formatDuration } from '../../base/durations.ts';
import { PAGE, SEGMENT_PAGES } from '../../postgres/incremental-file.ts';
import { parseLsn } from '../../postgres/lsn.ts';
import type { ClusterIdentity } from '../../postgres/replication-connection.ts';
import type { ServerSetup } from '../../postgres/server-settings.ts';

/** What the manifest of an earlier point tells of its copy, and the files of it that can be built on. */
export interface BaseCopy {
  /** Short id of the point. */
  readonly point: string;
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly startLsn: string;
  readonly stopLsn: string;
  /** Bytes of the copy. */
  readonly bytes: number;
  /** Whether it holds pages that the server found damaged. */
  readonly isDamaged: boolean;
  readonly lastFull: LastFull;
  /** Main forks whose content is at hand: paths with their bytes. */
  readonly files: ReadonlyMap<string, number>;
}

/** The newest reading of everything. */
export interface LastFull {
  /** RFC 3339. */
  readonly time: string;
  /** Incremental backups since, this one included. */
  readonly incrementals: number;
}

/** What stands in the way of an incremental backup. */
export interface FullReason {
  readonly reason: string;
  /** Not told to the operator each time: it is as it should be. */
  readonly expected?: true;
}

/** A full reading at least this often: it does not depend on the server's summaries, nor on what was merged before. */
const FULL_EVERY_MS = 7 * 24 * 3600 * 1000;
/** Among frequent backups, as many as these without a full one. */
const MAX_INCREMENTALS = 200;
/** With more log than this many times the copy, reading everything is likely cheaper; unless it is little log. */
const MAX_LOG_RATIO = 2;
const LITTLE_LOG = 1024 ** 3;

const FIRST_WITH_INCREMENTAL = 17;

/** What makes an incremental backup impossible or not worth it; `undefined` when it can be tried. */
export function obstacleTo(base: BaseCopy, setup: ServerSetup, identity: ClusterIdentity): FullReason | undefined {
  return reasonInServer(setup) ?? reasonInBase(base, identity);
}

function reasonInServer(setup: ServerSetup): FullReason | undefined {
  const major = Math.floor(setup.versionNum / 10_000);
  if (major < FIRST_WITH_INCREMENTAL) {
    return {
      reason: `PostgreSQL ${major} has no incremental backups, ${FIRST_WITH_INCREMENTAL} and newer have`,
      expected: true,
    };
  }
  if (!setup.summarizesWal) {
    return {
      reason:
        'summarize_wal is off on the server; incremental backups need it: ALTER SYSTEM SET summarize_wal = on; SELECT pg_reload_conf();',
    };
  }
  if (setup.blockSize !== PAGE || setup.segmentPages !== SEGMENT_PAGES) {
    return { reason: 'the server was built with another page or segment size than 8 KiB and 1 GiB', expected: true };
  }
  return undefined;
}

function reasonInBase(base: BaseCopy, identity: ClusterIdentity): FullReason | undefined {
  const { point } = base;
  if (base.systemIdentifier !== identity.systemIdentifier)
    return { reason: `the point ${point} is of another cluster` };
  if (base.timeline !== identity.timeline) {
    return {
      reason: `the server is on timeline ${identity.timeline}, the point ${point} is of timeline ${base.timeline}`,
    };
  }
  if (base.isDamaged)
    return { reason: `the point ${point} holds damaged pages: everything is read, so that they are seen again` };
  const log = identity.position - parseLsn(base.startLsn);
  if (log < 0n) return { reason: `the server's log is behind the point ${point}: the server was set back` };
  if (log > BigInt(Math.max(base.bytes * MAX_LOG_RATIO, LITTLE_LOG))) {
    return {
      reason: `since the point ${point} the server wrote more than twice as much log as the copy is large`,
      expected: true,
    };
  }
  return undefined;
}

/** Whether everything should be read again although nothing is in the way; `now` in milliseconds. */
export function dueForFull({ lastFull }: BaseCopy, now: number): FullReason | undefined {
  const age = now - Date.parse(lastFull.time);
  if (age >= FULL_EVERY_MS) {
    return { reason: `everything is read every ${formatDuration(FULL_EVERY_MS)}`, expected: true };
  }
  if (lastFull.incrementals >= MAX_INCREMENTALS) {
    return { reason: `everything is read after ${MAX_INCREMENTALS} incremental backups`, expected: true };
  }
  return undefined;
}
