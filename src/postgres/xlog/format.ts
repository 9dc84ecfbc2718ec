/**
 * The layout of the write-ahead log of PostgreSQL 15 to 18, as its headers define it: src/include/access/xlog_internal.h, xlogrecord.h,
 * xact.h, catalog/pg_control.h. All numbers are little-endian, the byte order of every platform that is supported here.
 */

/** XLOG_BLCKSZ as every packager builds it; pages of another size are refused. */
export const PAGE_SIZE = 8192;
export const SHORT_PAGE_HEADER = 24;
/** The first page of a segment says to which cluster it belongs. */
export const LONG_PAGE_HEADER = 40;
export const RECORD_HEADER = 24;
/** The checksum is the last thing in the header of a record; it covers what is before it, after the rest of the record. */
export const CHECKSUM_AT = 20;
/** No record is longer (XLogRecordMaxSize, and MaxAllocSize before it). */
export const MAX_RECORD = 0x3fff_ffff;

/** xlp_magic by major version. */
export const MAJOR_BY_MAGIC: ReadonlyMap<number, number> = new Map([
  [0xd110, 15],
  [0xd113, 16],
  [0xd116, 17],
  [0xd118, 18],
]);

export const PAGE_FLAG = { continues: 1, long: 2, all: 0xf, overwritten: 8 } as const;

/** Resource managers: who wrote a record (src/include/access/rmgrlist.h). */
export const RMGR = { xlog: 0, transaction: 1, storage: 2, database: 4, heap2: 9, heap: 10 } as const;
/** Built-in resource managers end here; extensions have numbers from 128 on. */
const LAST_BUILT_IN = 21;
const FIRST_CUSTOM = 128;

export function isResourceManager(number: number): boolean {
  return number <= LAST_BUILT_IN || number >= FIRST_CUSTOM;
}

/** Kinds of records of the log itself: the upper half of the info byte. */
export const XLOG = {
  checkpointShutdown: 0x00,
  checkpointOnline: 0x10,
  switch: 0x40,
  restorePoint: 0x70,
  endOfRecovery: 0x90,
  fullPageImageForHint: 0xa0,
  fullPageImage: 0xb0,
} as const;

/** Kinds of records of transactions: `info & operation`. */
export const XACT = {
  operation: 0x70,
  commit: 0x00,
  abort: 0x20,
  commitPrepared: 0x30,
  abortPrepared: 0x40,
  hasInfo: 0x80,
} as const;

/** What a commit or abort carries (xinfo). */
export const XACT_HAS = {
  database: 1,
  subtransactions: 2,
  relations: 4,
  invalidations: 8,
  prepared: 16,
  droppedStatistics: 256,
} as const;

/** Microseconds from the Unix epoch to 2000-01-01, from which PostgreSQL counts. */
export const POSTGRES_EPOCH = 946_684_800_000_000n;

/** Records begin at multiples of eight. */
export function aligned(length: number): number {
  return length + ((8 - (length % 8)) % 8);
}
