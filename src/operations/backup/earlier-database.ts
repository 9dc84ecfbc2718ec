/** What earlier points know of a database: a copy that an incremental backup can build on, and how its files were cut. */
import { shortId } from '../../base/ids.ts';
import { mainForkOf } from '../../postgres/relation-path.ts';
import type { Manifest, PostgresSourceRecord } from '../../recovery/manifest.ts';
import { readManifest } from '../../recovery/read-manifest.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import type { StoredSnapshot } from '../../repository/snapshots.ts';
import type { BaseCopy, FullReason } from '../../sources/postgres-source.ts';
import { type EarlierFiles, loadEarlierFiles } from '../archive/earlier-files.ts';
import { tagsOf } from '../points.ts';
import { sourceTrees } from './previous.ts';

export interface EarlierDatabase {
  readonly base: BaseCopy | FullReason;
  readonly files: EarlierFiles;
}

/** Points that cannot be read are passed over, so many at most. */
const TRIES = 5;

/** The database `source` in the newest of `points` that has it and can be read. */
export async function earlierDatabase(
  indexed: IndexedRepository,
  points: readonly StoredSnapshot[],
  app: string,
  source: string,
): Promise<EarlierDatabase> {
  const candidates = points.filter((point) => tagsOf(point)?.sources.includes(source)).toReversed();
  let unreadable = 0;
  for (const point of candidates.slice(0, TRIES)) {
    try {
      const found = await databaseOf(indexed, point, app, source);
      if (found !== undefined) return found;
    } catch {
      // "check" reports what is wrong with it; here it only costs reading more
      indexed.repository.settings.signal?.throwIfAborted();
      unreadable++;
    }
  }
  return { base: noPoint(unreadable), files: new Map() };
}

function noPoint(unreadable: number): FullReason {
  return unreadable === 0
    ? { reason: 'no earlier point has this database', expected: true }
    : { reason: `the ${unreadable} newest points that have this database cannot be read` };
}

async function databaseOf(
  indexed: IndexedRepository,
  point: StoredSnapshot,
  app: string,
  source: string,
): Promise<EarlierDatabase | undefined> {
  const manifest = await readManifest(indexed, point, app);
  const record = manifest.sources[source];
  const tree = (await sourceTrees(indexed, point, app)).get(source);
  if (record?.type !== 'postgres' || tree === undefined) return undefined;
  const files = await loadEarlierFiles(indexed, tree, (path) => mainForkOf(path) !== undefined);
  return { base: baseCopy(shortId(point.id), manifest, record, files), files };
}

function baseCopy(point: string, manifest: Manifest, { facts }: PostgresSourceRecord, files: EarlierFiles): BaseCopy {
  const { timeline, startLsn, stopLsn, bytes, damagedPages, lastFull } = facts.backup;
  return {
    point,
    systemIdentifier: facts.systemIdentifier,
    timeline,
    startLsn,
    stopLsn,
    bytes,
    isDamaged: damagedPages.length > 0,
    lastFull: lastFull ?? { time: manifest.time, incrementals: 0 },
    files: new Map([...files].map(([path, { size }]) => [path, size])),
  };
}
