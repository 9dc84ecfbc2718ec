/** The points a recovery may begin with: those of an app that hold its database, newest first, each opened when its turn comes. */
import { isFailure } from '../../base/failure.ts';
import { type Lsn, parseLsn } from '../../postgres/lsn.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { type StoredSnapshot, timeOf } from '../../repository/snapshots.ts';
import { type OpenedPoint, openPoint } from '../point.ts';
import { type Database, databaseOf } from '../sandbox/restore-copy.ts';

export interface Base {
  readonly point: OpenedPoint;
  readonly database: Database;
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** Recovery needs the log from here on, and may stop anywhere from `stop` on. */
  readonly start: Lsn;
  readonly stop: Lsn;
  /** When it had been read, by the clock of the machine that made it; microseconds since the Unix epoch. */
  readonly time: bigint;
}

/** Points of another app, without the database, or without a manifest that can be read are passed over. */
export async function* basesOf(
  indexed: IndexedRepository,
  snapshots: readonly StoredSnapshot[],
  app: string,
  source: string | undefined,
): AsyncGenerator<Base> {
  for (const stored of pointsOfApp(snapshots, app).reverse()) {
    if (source !== undefined && !stored.snapshot.tags?.includes(`source=${source}`)) continue;
    const base = baseOf(await openPoint(indexed, stored), source);
    if (base !== undefined) yield base;
  }
}

/** The points of one app, oldest first. */
export function pointsOfApp(snapshots: readonly StoredSnapshot[], app: string): StoredSnapshot[] {
  return snapshots.filter(({ snapshot: { tags = [] } }) => tags.includes('holdfast') && tags.includes(`app=${app}`));
}

/** What the manifest says of the database, or undefined where that makes no base. Throws `source_unknown` when several are meant. */
function baseOf(point: OpenedPoint, source: string | undefined): Base | undefined {
  const hasDatabase = Object.values(point.manifest?.sources ?? {}).some(({ type }) => type === 'postgres');
  if (!hasDatabase || (source !== undefined && point.manifest?.sources[source]?.type !== 'postgres')) return undefined;
  const database = databaseOf(point, source);
  const { backup, systemIdentifier } = database.record.facts;
  try {
    return {
      point,
      database,
      systemIdentifier,
      timeline: backup.timeline,
      start: parseLsn(backup.startLsn),
      stop: parseLsn(backup.stopLsn),
      time: BigInt(timeOf(point.stored)) * 1000n,
    };
  } catch (error) {
    if (isFailure(error, 'postgres_protocol')) return undefined;
    throw error;
  }
}
