/**
 * Folded WAL: snapshots that hold whole segments as files, `/<app>/wal/<timeline>/<segment>`, so that restic and PostgreSQL alone can
 * use them. They carry the tags `holdfast-wal`, `app=<app>` and `cluster=<system id>`; without the tag `holdfast` they are no restore points.
 *
 * Which segments are in one, and when their commits were, is in the file `/<app>/wal/folded.json` of the snapshot. The book `wal-folds` holds
 * the same for every snapshot, so that a listing opens none of them; what the book lacks is read from the snapshots and written down again.
 */
import type { Id } from '../base/ids.ts';
import { isJsonObject, parseJsonObject } from '../base/json-object.ts';
import type { Lsn } from '../postgres/lsn.ts';
import { type MetaBook, type MetaEntry, readMeta, updateMeta } from '../repository/meta.ts';
import type { Repository } from '../repository/repository.ts';
import { listSnapshots, type StoredSnapshot } from '../repository/snapshots.ts';
import { decodeCommits, encodeCommits } from './fold/commit-times.ts';
import { readFoldFile } from './fold/read.ts';
import type { CommitRange } from './piece.ts';

/** Segments of one timeline that follow each other. */
export interface FoldedRun {
  readonly timeline: number;
  readonly start: Lsn;
  readonly segmentSize: number;
  /** One for each segment. */
  readonly commits: readonly CommitRange[];
}

export interface FoldRecord {
  readonly systemIdentifier: string;
  readonly app: string;
  readonly runs: readonly FoldedRun[];
}

export interface StoredFold extends FoldRecord {
  readonly snapshot: StoredSnapshot;
}

const FOLD_TAG = 'holdfast-wal';
/** So that no directory of a fold grows large. */
export const MAX_FOLD_SEGMENTS = 1024;
const MIB = 1024 * 1024;

/** Whether the snapshot holds folded WAL of the cluster, or of any. */
export function isFold({ snapshot }: StoredSnapshot, systemIdentifier?: string): boolean {
  const tags = snapshot.tags ?? [];
  return tags.includes(FOLD_TAG) && (systemIdentifier === undefined || tags.includes(`cluster=${systemIdentifier}`));
}

export function foldTags({ app, systemIdentifier }: FoldRecord): string[] {
  return [FOLD_TAG, `app=${app}`, `cluster=${systemIdentifier}`];
}

export function foldApp({ snapshot }: StoredSnapshot): string | undefined {
  return snapshot.tags?.find((tag) => tag.startsWith('app='))?.slice('app='.length);
}

/** The folded WAL of a cluster, or of all, as far as the storages in use give it. */
export async function listFolds(repository: Repository, systemIdentifier?: string): Promise<StoredFold[]> {
  const { snapshots } = await listSnapshots(repository);
  const folds = snapshots.filter((snapshot) => isFold(snapshot, systemIdentifier));
  if (folds.length === 0) return [];
  const known = await readMeta(repository, FOLDS);
  const missing = folds.filter(({ id }) => !known.has(id));
  const found = missing.length === 0 ? new Map<Id, FoldRecord>() : await recoverRecords(repository, missing);
  return folds.flatMap((snapshot) => {
    const entry = known.get(snapshot.id);
    const record = entry === undefined ? found.get(snapshot.id) : fromJson(entry);
    return record === undefined ? [] : [{ ...record, snapshot }];
  });
}

/** Writes down what snapshots hold. Throws when no storage takes it. */
export async function recordFolds(repository: Repository, records: ReadonlyMap<Id, FoldRecord>): Promise<void> {
  await updateMeta(repository, FOLDS, (entries, stamp) => {
    for (const [id, record] of records) entries.set(id, { time: stamp(id), ...toJson(record) });
  });
}

/** Forgets snapshots that are gone from all storages. */
export async function forgetFolds(repository: Repository, ids: readonly Id[]): Promise<void> {
  await updateMeta(repository, FOLDS, (entries) => {
    for (const id of ids) entries.delete(id);
  });
}

/** The content of `folded.json`. */
export function encodeFold(record: FoldRecord): Buffer {
  return Buffer.from(JSON.stringify({ format: 1, ...toJson(record) }));
}

async function recoverRecords(repository: Repository, folds: readonly StoredSnapshot[]): Promise<Map<Id, FoldRecord>> {
  const found = new Map<Id, FoldRecord>();
  const indexed = await repository.loadIndex();
  for (const fold of folds) {
    const text = await readFoldFile(indexed, fold.snapshot.tree, foldApp(fold) ?? '').catch((error: unknown) => {
      repository.settings.signal?.throwIfAborted();
      if (error instanceof Error) return undefined;
      throw error;
    });
    const record = text === undefined ? undefined : parseRecord(text);
    if (record !== undefined) found.set(fold.id, record);
  }
  await recordFolds(repository, found).catch(() => repository.settings.signal?.throwIfAborted());
  return found;
}

type FoldEntry = MetaEntry & ReturnType<typeof toJson>;

const FOLDS: MetaBook<FoldEntry> = {
  kind: 'wal-folds',
  parse: (value) => {
    const record = fromJson(value);
    return record && { time: value.time as number, ...toJson(record) };
  },
};

function parseRecord(text: Buffer): FoldRecord | undefined {
  const value = parseJsonObject(text.toString());
  return value && fromJson(value);
}

function toJson({ systemIdentifier, app, runs }: FoldRecord) {
  return {
    cluster: systemIdentifier,
    app,
    runs: runs.map(({ timeline, start, segmentSize, commits }) => {
      return {
        timeline,
        start: start.toString(16).padStart(16, '0'),
        segmentMiB: segmentSize / MIB,
        commits: encodeCommits(commits),
      };
    }),
  };
}

function fromJson({
  cluster,
  app,
  runs,
}: {
  readonly cluster?: unknown;
  readonly app?: unknown;
  readonly runs?: unknown;
}): FoldRecord | undefined {
  if (typeof cluster !== 'string' || !/^\d{1,20}$/.test(cluster) || typeof app !== 'string') return undefined;
  if (!Array.isArray(runs) || runs.length > MAX_FOLD_SEGMENTS) return undefined;
  const parsed = runs.map(runFrom);
  const known = parsed.filter((run) => run !== undefined);
  return known.length === parsed.length ? { systemIdentifier: cluster, app, runs: known } : undefined;
}

function runFrom(value: unknown): FoldedRun | undefined {
  if (!isJsonObject(value)) return undefined;
  const { timeline, start, segmentMiB, commits } = value;
  if (!Number.isSafeInteger(timeline) || (timeline as number) < 1 || (timeline as number) > 0xffff_ffff)
    return undefined;
  if (typeof start !== 'string' || !/^[0-9a-f]{16}$/.test(start)) return undefined;
  const size = Number(segmentMiB);
  if (!Number.isInteger(size) || size < 1 || size > 1024 || (size & (size - 1)) !== 0) return undefined;
  const ranges = typeof commits === 'string' ? decodeCommits(commits, MAX_FOLD_SEGMENTS) : undefined;
  const from = BigInt(`0x${start}`);
  if (ranges === undefined || from % BigInt(size * MIB) !== 0n) return undefined;
  return { timeline: timeline as number, start: from, segmentSize: size * MIB, commits: ranges };
}
