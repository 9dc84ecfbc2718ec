/** What a stretch of the log shows about the moment that is asked for. */
import type { Lsn } from '../../postgres/lsn.ts';
import type { MomentRequest, RecoveryStop } from '../moment.ts';
import type { Base } from './bases.ts';
import { piecesOf, type Stretch } from './line.ts';
import {
  commitOf,
  firstCommitAfter,
  firstRecordBeyond,
  lastCommitUpTo,
  lastRecord,
  latestCommit,
  type RecordPlace,
  restorePointOf,
  type SearchedLog,
} from './search.ts';

type Target = MomentRequest['target'];

export type Located =
  | {
      readonly kind: 'stop';
      readonly stop: Extract<RecoveryStop, { kind: 'lsn' }>;
      /** Where the log has been applied up to. */
      readonly reached: Lsn;
      /** The log must be there up to here. */
      readonly needs: Lsn;
      /** When that was, µs, where the log tells. */
      readonly time: bigint | undefined;
      /** The earliest commit of the stretch, µs. */
      readonly firstCommit: bigint | undefined;
    }
  /** The stretch ends before the moment; `latest` is the time of its last commit, µs. */
  | { readonly kind: 'after'; readonly latest: bigint | undefined }
  /** There is no such transaction or name in it. */
  | { readonly kind: 'absent' };

export async function locate(log: SearchedLog, stretch: Stretch, target: Target): Promise<Located> {
  const found = await find(log, stretch, target);
  return 'kind' in found ? found : { kind: 'stop', ...found, firstCommit: earliestCommit(log, stretch) };
}

type Found = Omit<Located & { kind: 'stop' }, 'kind' | 'firstCommit'>;
type Elsewhere = Exclude<Located, { kind: 'stop' }>;

async function find(log: SearchedLog, stretch: Stretch, target: Target): Promise<Found | Elsewhere> {
  switch (target.kind) {
    case 'xid':
      return through(await commitOf(log, stretch, target.xid));
    case 'name':
      return through(await restorePointOf(log, stretch, target.name));
    case 'time':
      return findTime(log, stretch, target.time);
    case 'lsn':
      return findPosition(log, stretch, target.lsn);
    default:
      return through(await lastRecord(log, stretch));
  }
}

async function findTime(log: SearchedLog, stretch: Stretch, time: bigint): Promise<Found | Elsewhere> {
  const next = await firstCommitAfter(log, stretch, time);
  if (next !== undefined) return { ...until(next), time };
  const latest = (await latestCommit(log, stretch))?.time;
  return latest === time ? { ...through(await lastRecord(log, stretch)), time } : { kind: 'after', latest };
}

async function findPosition(log: SearchedLog, stretch: Stretch, position: Lsn): Promise<Found | Elsewhere> {
  if (position > stretch.end) return { kind: 'after', latest: (await latestCommit(log, stretch))?.time };
  const next = await firstRecordBeyond(log, stretch, position);
  const found = next === undefined ? through(await lastRecord(log, stretch)) : until(next);
  return { ...found, time: (await lastCommitUpTo(log, stretch, position))?.time };
}

/**
 * Whether the base can have ended before the wanted time: it was made before, or the log shows a commit that was. Without one, transactions
 * that committed between the time and the base would be in the base, and nobody would know.
 */
export function mayPrecede(base: Base, target: Target, { firstCommit }: Located & { kind: 'stop' }): boolean {
  if (target.kind !== 'time' || base.time <= target.time) return true;
  return firstCommit !== undefined && firstCommit <= target.time;
}

/** Without the record. */
function until({ start, end }: RecordPlace): Found {
  return { stop: { kind: 'lsn', lsn: start, inclusive: false }, reached: start, needs: end, time: undefined };
}

/** With the record. */
function through(record: (RecordPlace & { readonly time?: bigint }) | undefined): Found | Elsewhere {
  if (record === undefined) return { kind: 'absent' };
  const { start, end, time } = record;
  return { stop: { kind: 'lsn', lsn: start, inclusive: true }, reached: end, needs: end, time };
}

function earliestCommit({ inventory }: SearchedLog, stretch: Stretch): bigint | undefined {
  for (const { piece } of piecesOf(stretch, inventory)) if (piece.firstCommit !== undefined) return piece.firstCommit;
  return undefined;
}
