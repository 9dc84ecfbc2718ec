/** Records that are decoded: ends of transactions, restore points, checkpoints. Malformed ones are undefined. */
import type { Lsn } from '../lsn.ts';
import { type RelationLocator, readBody } from './body.ts';
import { POSTGRES_EPOCH, RMGR, XACT, XACT_HAS, XLOG } from './format.ts';

export interface RecordPlace {
  /** Its first byte: replay that ends here has not seen it. */
  readonly start: Lsn;
  /** After its last byte, where the next record begins: replay that ends here has seen it. */
  readonly end: Lsn;
}

/** The end of a transaction. */
export interface CommitRecord extends RecordPlace {
  readonly kind: 'commit' | 'abort';
  /** For COMMIT PREPARED, that of the prepared transaction. */
  readonly xid: number;
  /** Microseconds since the Unix epoch. */
  readonly time: bigint;
  readonly prepared: boolean;
  /** Its database, 0 where the record does not say (it does when there are invalidations). */
  readonly database: number;
  readonly subtransactions: readonly number[];
  /** Files of relations that go with this record: dropped, truncated or rewritten ones; of an abort, those it had created. */
  readonly dropped: readonly RelationLocator[];
}

/** What `pg_create_restore_point` leaves. */
export interface RestorePointRecord extends RecordPlace {
  readonly name: string;
  /** Microseconds since the Unix epoch. */
  readonly time: bigint;
}

export interface CheckpointRecord extends RecordPlace {
  readonly kind: 'shutdown' | 'online' | 'end-of-recovery';
  readonly timeline: number;
  readonly previousTimeline: number;
  /** Microseconds since the Unix epoch; of checkpoints, to the second. */
  readonly time: bigint;
}

const NOTHING: readonly never[] = [];
const LOCATOR = 12;
const INVALIDATION = 16;
/** xl_xact_stats_item grew in 18. */
const STATISTICS = { before18: 12, from18: 16 } as const;
const RESTORE_POINT_NAME = 64;

const transactionEnds: readonly number[] = [XACT.commit, XACT.abort, XACT.commitPrepared, XACT.abortPrepared];

export function isTransactionEnd(manager: number, info: number): boolean {
  return manager === RMGR.transaction && transactionEnds.includes(info & XACT.operation);
}

export function isRestorePoint(manager: number, info: number): boolean {
  return manager === RMGR.xlog && (info & 0xf0) === XLOG.restorePoint;
}

export function isCheckpoint(manager: number, info: number): boolean {
  return manager === RMGR.xlog && checkpointKind(info) !== undefined;
}

/** `record` is a whole one of the kind that `isTransactionEnd` knows; `major` of the server that wrote it. */
export function decodeTransactionEnd(record: Uint8Array, place: RecordPlace, major: number): CommitRecord | undefined {
  const header = new DataView(record.buffer, record.byteOffset, record.length);
  const info = header.getUint8(16);
  const operation = info & XACT.operation;
  const parts = guarded(() => transactionParts(mainView(record), (info & XACT.hasInfo) !== 0, major));
  if (parts === undefined) return undefined;
  const committed = operation === XACT.commit || operation === XACT.commitPrepared;
  return {
    kind: committed ? 'commit' : 'abort',
    xid: parts.preparedXid ?? header.getUint32(4, true),
    time: parts.time + POSTGRES_EPOCH,
    prepared: parts.preparedXid !== undefined,
    database: parts.database,
    subtransactions: parts.subtransactions,
    dropped: parts.dropped,
    start: place.start,
    end: place.end,
  };
}

export function decodeRestorePoint(record: Uint8Array, place: RecordPlace): RestorePointRecord | undefined {
  return guarded(() => {
    const view = mainView(record);
    const time = view.getBigInt64(0, true) + POSTGRES_EPOCH;
    const name = Buffer.from(view.buffer, view.byteOffset + 8, Math.min(RESTORE_POINT_NAME, view.byteLength - 8));
    const length = name.indexOf(0);
    const text = name.toString('utf8', 0, length < 0 ? name.length : length);
    return { name: text, time, start: place.start, end: place.end };
  });
}

export function decodeCheckpoint(record: Uint8Array, place: RecordPlace): CheckpointRecord | undefined {
  return guarded(() => {
    const kind = checkpointKind(record[16]!);
    const view = mainView(record);
    if (kind === undefined) return undefined;
    const time = kind === 'end-of-recovery' ? view.getBigInt64(0, true) + POSTGRES_EPOCH : seconds(view, 64);
    const [timeline, previousTimeline] = [view.getUint32(8, true), view.getUint32(12, true)];
    return { kind, timeline, previousTimeline, time, start: place.start, end: place.end };
  });
}

interface TransactionParts {
  readonly time: bigint;
  readonly database: number;
  readonly subtransactions: readonly number[];
  readonly dropped: readonly RelationLocator[];
  readonly preparedXid: number | undefined;
}

/** xl_xact_commit and xl_xact_abort: the time, then what `xinfo` says, in this order. */
function transactionParts(view: DataView, hasInfo: boolean, major: number): TransactionParts {
  const time = view.getBigInt64(0, true);
  const has = hasInfo ? view.getUint32(8, true) : 0;
  let at = 12;
  const list = (size: number): { start: number; count: number } => {
    const [start, count] = [at + 4, view.getUint32(at, true)];
    at = start + count * size;
    if (at > view.byteLength) throw new RangeError('a list that is longer than its record');
    return { start, count };
  };
  let [database, subtransactions, dropped]: [number, readonly number[], readonly RelationLocator[]] = [
    0,
    NOTHING,
    NOTHING,
  ];
  if (has & XACT_HAS.database) {
    database = view.getUint32(at, true);
    at += 8;
  }
  if (has & XACT_HAS.subtransactions) {
    const { start, count } = list(4);
    subtransactions = Array.from({ length: count }, (_, i) => view.getUint32(start + 4 * i, true));
  }
  if (has & XACT_HAS.relations) {
    const { start, count } = list(LOCATOR);
    dropped = Array.from({ length: count }, (_, i) => readLocator(view, start + LOCATOR * i));
  }
  if (has & XACT_HAS.droppedStatistics) list(major >= 18 ? STATISTICS.from18 : STATISTICS.before18);
  if (has & XACT_HAS.invalidations) list(INVALIDATION);
  const preparedXid = has & XACT_HAS.prepared ? view.getUint32(at, true) : undefined;
  return { time, database, subtransactions, dropped, preparedXid };
}

function readLocator(view: DataView, at: number): RelationLocator {
  return {
    tablespace: view.getUint32(at, true),
    database: view.getUint32(at + 4, true),
    relation: view.getUint32(at + 8, true),
  };
}

function checkpointKind(info: number): CheckpointRecord['kind'] | undefined {
  const kind = info & 0xf0;
  if (kind === XLOG.checkpointShutdown) return 'shutdown';
  if (kind === XLOG.checkpointOnline) return 'online';
  return kind === XLOG.endOfRecovery ? 'end-of-recovery' : undefined;
}

function seconds(view: DataView, at: number): bigint {
  return view.getBigInt64(at, true) * 1_000_000n;
}

function mainView(record: Uint8Array): DataView {
  const main = readBody(record)?.main;
  if (main === undefined) throw new RangeError('not a record');
  return new DataView(main.buffer, main.byteOffset, main.length);
}

/** Reading beyond the end of a view is how a malformed record shows. */
function guarded<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
