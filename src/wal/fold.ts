/**
 * Folding: loose WAL that is old enough becomes a snapshot that restic reads, whole segments as files. The snapshot is stored and read back
 * from each storage before the loose pieces of that storage go; nothing is ever in neither form.
 */
import type { Clock } from '../base/clock.ts';
import type { Failure } from '../base/failure.ts';
import type { Id } from '../base/ids.ts';
import type { Progress } from '../base/progress.ts';
import { PointWriter, type PointWriterOptions } from '../repository/point-writer.ts';
import type { Repository } from '../repository/repository.ts';
import { listSnapshots, type Snapshot } from '../repository/snapshots.ts';
import { lockUsable } from '../repository/usable-storages.ts';
import { WalArchive, type WalInventory } from './archive.ts';
import { planFolds } from './fold/plan.ts';
import { settleFolds } from './fold/settle.ts';
import { writeFold } from './fold/write.ts';
import { type FoldedRun, foldTags, recordFolds } from './fold-book.ts';

export interface FoldOptions {
  readonly repository: Repository;
  readonly systemIdentifier: string;
  readonly app: string;
  /** Milliseconds; undefined: every complete segment, however new. */
  readonly foldAfter: number | undefined;
  readonly seal: PointWriterOptions['seal'];
  readonly machine: { readonly hostname: string; readonly username: string };
  readonly programVersion: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

export interface FoldOutcome {
  readonly snapshots: readonly Id[];
  readonly segments: number;
  /** Loose pieces that went, over all storages. */
  readonly removed: number;
  /** Storages that could not take part to the end; their pieces stay. */
  readonly failures: ReadonlyMap<string, Failure>;
}

/** Throws `locked` while somebody holds a storage exclusively, `storages_failed` when none can be used. */
export async function foldWal(options: FoldOptions): Promise<FoldOutcome> {
  const { foldAfter, clock, progress } = options;
  const { repository, locks } = await lockUsable(options.repository);
  await using held = locks;
  const archive = new WalArchive(repository, options.systemIdentifier);
  const inventory = await archive.list();
  const micros = (ms: number) => BigInt(Math.floor(clock.now() - ms)) * 1000n;
  const before = foldAfter === undefined ? undefined : micros(foldAfter);
  const longBefore = foldAfter === undefined ? undefined : micros(2 * foldAfter);
  const portions = planFolds(inventory.pieces, { before, longBefore });
  const failures = new Map(repository.lost.map(({ name, failure }) => [name, failure]));
  const snapshots: Id[] = [];
  const segments = portions.flat().reduce((sum, run) => sum + run.commits.length, 0);
  if (portions.length > 0)
    progress({ type: 'step', step: 'fold', title: 'Folding WAL into snapshots', totalItems: segments });
  let items = 0;
  for (const runs of portions) {
    const onSegment = () => progress({ type: 'advance', step: 'fold', items: ++items, totalItems: segments });
    const { id, failed } = await foldOnce(options, archive, inventory, runs, { locks: held.locks, onSegment });
    snapshots.push(id);
    for (const [name, failure] of failed) failures.set(name, failure);
  }
  if (portions.length > 0) progress({ type: 'done', step: 'fold', outcome: 'done' });
  const settled = await settleFolds(archive, portions.length > 0 ? await archive.list() : inventory);
  return { snapshots, segments, removed: settled.removed, failures: new Map([...failures, ...settled.failures]) };
}

/** One snapshot. */
async function foldOnce(
  { app, systemIdentifier, seal, signal, clock, machine, programVersion }: FoldOptions,
  archive: WalArchive,
  inventory: WalInventory,
  runs: readonly FoldedRun[],
  { locks, onSegment }: { readonly locks: NonNullable<PointWriterOptions['locks']>; readonly onSegment: () => void },
) {
  const { repository } = archive;
  await listSnapshots(repository); // before the index is read: what they need is then indexed
  const indexed = await repository.loadIndex();
  await using writer = new PointWriter(indexed, { seal, workers: 1, locks, signal });
  const record = { systemIdentifier, app, runs };
  const now = clock.now();
  const { tree, bytes } = await writeFold({ archive, inventory, writer, now, onSegment }, record);
  const snapshot: Snapshot = {
    time: new Date(now).toISOString(),
    tree,
    paths: [`/${app}/wal`],
    ...machine,
    tags: foldTags(record),
    program_version: `holdfast ${programVersion}`,
    summary: summaryOf(now, runs, bytes, writer),
  };
  const { id, copies } = await writer.commit(snapshot);
  await recordFolds(repository, new Map([[id, record]])).catch(() => signal.throwIfAborted());
  const failed = [...copies].flatMap(([name, copy]) =>
    copy.state === 'failed' ? [[name, copy.failure] as const] : [],
  );
  return { id, failed };
}

function summaryOf(now: number, runs: readonly FoldedRun[], bytes: number, { pool: { stats } }: PointWriter) {
  const time = new Date(now).toISOString();
  const files = runs.reduce((sum, { commits }) => sum + commits.length, 0);
  return {
    ...{ backup_start: time, backup_end: time, files_new: files, files_changed: 0, files_unmodified: 0 },
    ...{ dirs_new: 0, dirs_changed: 0, dirs_unmodified: 0, data_blobs: stats.newBlobs, tree_blobs: 0 },
    ...{ data_added: stats.newBytes, data_added_packed: stats.storedBytes },
    ...{ total_files_processed: files, total_bytes_processed: bytes },
  };
}
