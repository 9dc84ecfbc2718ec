/** The part of a sandbox that is a restore: the database of a point, and its files when they are asked for, into a private directory. */
import { join } from 'node:path';
import { Failure } from '../../base/failure.ts';
import { shortId } from '../../base/ids.ts';
import type { ServerAccount } from '../../postgres/account.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import type { PostgresSourceRecord } from '../manifest.ts';
import { planRestore } from '../plan.ts';
import type { OpenedPoint } from '../point.ts';
import { restoreFiles } from '../restore-files.ts';
import { checkRoom } from '../target.ts';
import type { RecoveryWorld } from '../world.ts';

export interface CopyRequest {
  readonly point: OpenedPoint;
  readonly sources: readonly string[];
  readonly storage?: string | undefined;
  /** An empty directory that belongs to `account`. */
  readonly target: string;
  readonly account: ServerAccount | undefined;
  /** Bytes that will be needed beside the copy. */
  readonly moreRoom?: number;
}

/** Throws `data_damaged` unless everything is there: half a database proves nothing and misleads whoever looks into it. */
export async function restoreCopy(
  world: RecoveryWorld,
  indexed: IndexedRepository,
  { point, sources, storage, target, account, moreRoom = 0 }: CopyRequest,
): Promise<void> {
  const { signal, progress } = world;
  const step = 'sandbox:restore';
  const plan = await planRestore(indexed, point, {
    sources,
    paths: [],
    signal,
    ...(storage === undefined ? {} : { storage }),
  });
  await checkRoom(target, plan.totals.roomBytes + moreRoom, plan.totals.files);
  const { bytes: totalBytes, files: totalItems } = plan.totals;
  progress({ type: 'step', step, title: 'restoring a copy', totalBytes, totalItems });
  const done = await restoreFiles(indexed, plan, {
    target,
    continues: false,
    made: false,
    durable: false,
    ownership: account ? { uid: account.uid, gid: account.gid } : 'none',
    signal,
    onProgress: ({ bytes, files }) => progress({ type: 'advance', step, bytes, items: files }),
  });
  const missing = [...plan.problems, ...done.problems].filter((problem) => problem.missing);
  progress({ type: 'done', step, outcome: missing.length === 0 ? 'done' : 'failed' });
  if (missing.length === 0) return;
  throw new Failure('data_damaged', `Point ${shortId(point.stored.id)} cannot be restored whole.`, {
    hint: 'Run "holdfast sync", which heals what another storage still has.',
    details: { problems: missing.slice(0, 20) },
  });
}

export interface Database {
  readonly name: string;
  readonly record: PostgresSourceRecord;
}

/** The database of a point that is meant: the one named, or the only one. Throws `source_unknown`, `data_damaged` without a manifest. */
export function databaseOf({ stored, manifest }: OpenedPoint, wanted: string | undefined): Database {
  if (manifest === undefined) {
    throw new Failure('data_damaged', `Point ${shortId(stored.id)} has no manifest that can be read.`, {
      hint: 'Its files can still be restored with "holdfast restore"; the server is then started by hand.',
    });
  }
  const databases = Object.entries(manifest.sources).flatMap(([name, record]) =>
    record.type === 'postgres' ? [{ name, record }] : [],
  );
  const found = wanted === undefined && databases.length === 1 ? databases[0] : byName(databases, wanted);
  if (found !== undefined) return found;
  const names = databases.map(({ name }) => name).join(', ');
  const what = wanted === undefined ? 'no single database' : `no database "${wanted}"`;
  throw new Failure('source_unknown', `Point ${shortId(stored.id)} has ${what}.`, {
    hint:
      databases.length === 0
        ? 'It holds no database at all. "holdfast points" shows which points hold which sources.'
        : `Databases in it: ${names}. Say which with --source.`,
  });
}

/** Where a database's data directory is below the directory it was restored to. */
export function dataDirectoryOf(target: string, { name }: Database): string {
  return join(target, name);
}

function byName(databases: readonly Database[], wanted: string | undefined): Database | undefined {
  return databases.find(({ name }) => name === wanted);
}
