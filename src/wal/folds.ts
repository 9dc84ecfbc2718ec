/**
 * Folded WAL: snapshots that hold whole segments as files, `/<app>/wal/<timeline>/<segment>`, so that restic and PostgreSQL alone can
 * use them. Their tags say what they hold:
 *
 *     holdfast-wal · app=<app> · cluster=<system id> · wal=<timeline>/<start>-<end>.<segment MiB>.<first commit>-<last commit>   (one for each run)
 *
 * with numbers as in the names of pieces. Without the tag `holdfast` they are no restore points.
 */
import type { Lsn } from '../postgres/lsn.ts';
import type { Repository } from '../repository/repository.ts';
import { listSnapshots, type StoredSnapshot } from '../repository/snapshots.ts';
import type { CommitTime } from './piece.ts';

/** A contiguous run of whole segments in one snapshot. */
export interface FoldedRun {
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** Both at borders of segments. */
  readonly start: Lsn;
  readonly end: Lsn;
  readonly segmentSize: number;
  readonly firstCommit: CommitTime | undefined;
  readonly lastCommit: CommitTime | undefined;
}

export interface StoredFold extends FoldedRun {
  readonly app: string;
  readonly snapshot: StoredSnapshot;
  /** The storages that hold the snapshot. */
  readonly mask: number;
}

export const FOLD_TAG = 'holdfast-wal';
const MIB = 1024 * 1024;
const RUN = /^wal=([0-9a-f]{8})\/([0-9a-f]{16})-([0-9a-f]{16})\.(\d{1,4})\.(\d{1,17})-(\d{1,17})$/;

export function foldTags(app: string, systemIdentifier: string, runs: readonly FoldedRun[]): string[] {
  return [FOLD_TAG, `app=${app}`, `cluster=${systemIdentifier}`, ...runs.map(runTag)];
}

/** What a snapshot holds of WAL, or nothing for any other snapshot. */
export function foldsIn(snapshot: StoredSnapshot): StoredFold[] {
  const tags = snapshot.snapshot.tags ?? [];
  const systemIdentifier = tagValue(tags, 'cluster');
  const app = tagValue(tags, 'app');
  if (!tags.includes(FOLD_TAG) || app === undefined || systemIdentifier === undefined) return [];
  return tags.flatMap((tag) => {
    const run = parseRun(tag);
    return run === undefined ? [] : [{ ...run, app, systemIdentifier, snapshot, mask: snapshot.mask }];
  });
}

/** The folded WAL of every cluster, by timeline and start. */
export async function listFolds(repository: Repository): Promise<StoredFold[]> {
  const { snapshots } = await listSnapshots(repository);
  return sortFolds(snapshots.flatMap(foldsIn));
}

export function sortFolds(folds: StoredFold[]): StoredFold[] {
  return folds.sort((a, b) => a.timeline - b.timeline || (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
}

function runTag({ timeline, start, end, segmentSize, firstCommit = 0n, lastCommit = 0n }: FoldedRun): string {
  const place = `${hex(BigInt(timeline), 8)}/${hex(start, 16)}-${hex(end, 16)}`;
  return `wal=${place}.${segmentSize / MIB}.${firstCommit}-${lastCommit}`;
}

function parseRun(tag: string): Omit<FoldedRun, 'systemIdentifier'> | undefined {
  const match = RUN.exec(tag);
  if (match === null) return undefined;
  const [, timeline = '', start = '', end = '', size = '', first = '', last = ''] = match;
  const run = {
    timeline: Number.parseInt(timeline, 16),
    start: BigInt(`0x${start}`),
    end: BigInt(`0x${end}`),
    segmentSize: Number(size) * MIB,
    firstCommit: commitTime(first),
    lastCommit: commitTime(last),
  };
  return isRun(run) ? run : undefined;
}

function isRun({ timeline, start, end, segmentSize, firstCommit, lastCommit }: Omit<FoldedRun, 'systemIdentifier'>) {
  const size = BigInt(segmentSize);
  if (timeline < 1 || segmentSize < MIB || segmentSize > 1024 * MIB || (size & (size - 1n)) !== 0n) return false;
  if (start >= end || start % size !== 0n || end % size !== 0n) return false;
  if (firstCommit === undefined || lastCommit === undefined) return firstCommit === lastCommit;
  return firstCommit <= lastCommit;
}

function tagValue(tags: readonly string[], name: string): string | undefined {
  return tags.find((tag) => tag.startsWith(`${name}=`))?.slice(name.length + 1);
}

function commitTime(digits: string): CommitTime | undefined {
  return /^0+$/.test(digits) ? undefined : BigInt(digits);
}

function hex(value: bigint, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
