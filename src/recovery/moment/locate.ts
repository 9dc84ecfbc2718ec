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
    }
  /** The stretch ends before the moment; `latest` is the time of its latest commit, µs. */
  | { readonly kind: 'after'; readonly latest: bigint | undefined }
  /** There is no such transaction or name in it; `latest` as above. */
  | { readonly kind: 'absent'; readonly latest: bigint | undefined };

export async function locate(log: SearchedLog, stretch: Stretch, target: Target): Promise<Located> {
  const found = await find(log, stretch, target);
  if (found !== undefined && 'kind' in found) return found;
  return found === undefined ? { kind: 'absent', latest: await latestTime(log, stretch) } : { kind: 'stop', ...found };
}

type Found = Omit<Located & { kind: 'stop' }, 'kind'>;
type Elsewhere = Located & { kind: 'after' };

/** Undefined: absent. */
async function find(log: SearchedLog, stretch: Stretch, target: Target): Promise<Found | Elsewhere | undefined> {
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

/** As PostgreSQL does: up to the first commit after the time in the order of the log, also where a clock that was set back put later ones before it. */
async function findTime(log: SearchedLog, stretch: Stretch, time: bigint): Promise<Found | Elsewhere | undefined> {
  const next = await firstCommitAfter(log, stretch, time);
  if (next !== undefined) return { ...until(next), time };
  const latest = await latestTime(log, stretch);
  if (latest !== time) return { kind: 'after', latest };
  const last = through(await lastRecord(log, stretch));
  return last && { ...last, time };
}

async function findPosition(log: SearchedLog, stretch: Stretch, position: Lsn): Promise<Found | Elsewhere | undefined> {
  if (position > stretch.end) return { kind: 'after', latest: await latestTime(log, stretch) };
  const next = await firstRecordBeyond(log, stretch, position);
  const found = next === undefined ? through(await lastRecord(log, stretch)) : until(next);
  return found && { ...found, time: (await lastCommitUpTo(log, stretch, position))?.time };
}

async function latestTime(log: SearchedLog, stretch: Stretch): Promise<bigint | undefined> {
  return (await latestCommit(log, stretch))?.time;
}

/**
 * Whether the base can have ended before the wanted time: it was made before, or the log up to its end shows a commit that was. Without one,
 * transactions that committed between the time and the base would be in the base, and nobody would know. A commit after its end proves nothing:
 * the server's clock may have been set back.
 */
export async function mayPrecede(base: Base, target: Target, log: SearchedLog, stretch: Stretch): Promise<boolean> {
  if (target.kind !== 'time' || base.time <= target.time) return true;
  for (const { piece } of piecesOf(stretch, log.inventory))
    if (piece.end <= base.stop && piece.firstCommit !== undefined && piece.firstCommit <= target.time) return true;
  const last = await lastCommitUpTo(log, stretch, base.stop);
  return last !== undefined && last.time <= target.time;
}

/** Without the record. */
function until({ start, end }: RecordPlace): Found {
  return { stop: { kind: 'lsn', lsn: start, inclusive: false }, reached: start, needs: end, time: undefined };
}

/** With the record. */
function through(record: (RecordPlace & { readonly time?: bigint }) | undefined): Found | undefined {
  if (record === undefined) return undefined;
  const { start, end, time } = record;
  return { stop: { kind: 'lsn', lsn: start, inclusive: true }, reached: end, needs: end, time };
}
