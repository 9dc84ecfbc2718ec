/**
 * Finding a moment in the log. The names of the pieces carry the times of the commits in them, so that only a little has to be decoded to
 * find a time; a transaction's number or a name is looked for from the end backwards.
 */
import { earlierLsn, type Lsn, laterLsn, segmentStart } from '../../postgres/lsn.ts';
import {
  type CommitRecord,
  type RestorePointRecord,
  type WalScanHandler,
  WalScanner,
} from '../../postgres/wal-records.ts';
import type { WalArchive, WalInventory } from '../../wal/archive.ts';
import { piecesOf, type Stretch } from './line.ts';

/** A record, from its first byte to the one after its last. */
export interface RecordPlace {
  readonly start: Lsn;
  readonly end: Lsn;
}

/** What the search reads from. */
export interface SearchedLog {
  readonly archive: WalArchive;
  readonly inventory: WalInventory;
  readonly segmentSize: number;
}

const MIB = 1024n * 1024n;
/** Records may begin before the piece they end in: decoding begins this much earlier, and again earlier where that was not enough. */
const LEADS = [1n * MIB, 64n * MIB];
/** How much is decoded at a time when everything may have to be. */
const BACKWARD_STRIDE = 64n * MIB;
/** Pages of the log; records can be found from the start of any. */
const PAGE = 8192n;

/** The first commit or abort, in the order of the log, with a time after `time` (µs). */
export async function firstCommitAfter(
  log: SearchedLog,
  stretch: Stretch,
  time: bigint,
): Promise<CommitRecord | undefined> {
  for (const { piece } of piecesOf(stretch, log.inventory)) {
    if (piece.lastCommit === undefined || piece.lastCommit <= time) continue;
    for (const lead of LEADS) {
      const found = await firstCommit(log, stretch, piece.start - lead, piece.end, (each) => each.time > time);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The commit or abort with the latest time; undefined when the stretch has none. */
export async function latestCommit(log: SearchedLog, stretch: Stretch): Promise<CommitRecord | undefined> {
  const pieces = [...piecesOf(stretch, log.inventory)].map(({ piece }) => piece);
  pieces.sort((a, b) => Number((b.lastCommit ?? 0n) - (a.lastCommit ?? 0n)));
  for (const { start, end, lastCommit } of pieces) {
    if (lastCommit === undefined) return undefined;
    let latest: CommitRecord | undefined;
    const commit = (each: CommitRecord) => {
      if (latest === undefined || each.time >= latest.time) latest = each;
    };
    await scan(log, stretch, start - LEADS[0]!, end, { commit });
    if (latest !== undefined) return latest;
  }
  return undefined;
}

/** The newest commit or abort of a transaction. */
export function commitOf(log: SearchedLog, stretch: Stretch, xid: number): Promise<CommitRecord | undefined> {
  return newest<CommitRecord>(log, stretch, (take) => ({
    commit: (each) => {
      if (each.xid === xid) take(each);
    },
  }));
}

/** The last commit or abort that ends at `position` or before, where there is one not long before. */
export async function lastCommitUpTo(
  log: SearchedLog,
  stretch: Stretch,
  position: Lsn,
): Promise<CommitRecord | undefined> {
  let last: CommitRecord | undefined;
  const commit = (each: CommitRecord) => {
    if (each.end <= position) last = each;
  };
  await scan(log, stretch, position - BACKWARD_STRIDE, position, { commit });
  return last;
}

/** The newest restore point of a name (`pg_create_restore_point`). */
export function restorePointOf(
  log: SearchedLog,
  stretch: Stretch,
  name: string,
): Promise<RestorePointRecord | undefined> {
  return newest<RestorePointRecord>(log, stretch, (take) => ({
    restorePoint: (each) => {
      if (each.name === name) take(each);
    },
  }));
}

/** The last whole record of the stretch. */
export function lastRecord(log: SearchedLog, stretch: Stretch): Promise<RecordPlace | undefined> {
  return newest<RecordPlace>(log, stretch, (take) => ({ record: take }), LEADS[0]!);
}

/** The first record that ends after `position`; undefined when the log ends before one does. */
export async function firstRecordBeyond(
  log: SearchedLog,
  stretch: Stretch,
  position: Lsn,
): Promise<RecordPlace | undefined> {
  let found: RecordPlace | undefined;
  const record = ({ start, end }: RecordPlace) => {
    if (end > position) found ??= { start, end };
  };
  await scan(log, stretch, position - LEADS[0]!, stretch.end, { record }, () => found !== undefined);
  return found;
}

async function firstCommit(
  log: SearchedLog,
  stretch: Stretch,
  from: Lsn,
  to: Lsn,
  fits: (record: CommitRecord) => boolean,
): Promise<CommitRecord | undefined> {
  let found: CommitRecord | undefined;
  const commit = (each: CommitRecord) => {
    if (found === undefined && fits(each)) found = each;
  };
  await scan(log, stretch, from, to, { commit }, () => found !== undefined);
  return found;
}

/** The last thing that the handler takes, looked for from the end backwards. */
async function newest<T extends RecordPlace>(
  log: SearchedLog,
  stretch: Stretch,
  handler: (take: (found: T) => void) => WalScanHandler,
  stride = BACKWARD_STRIDE,
): Promise<T | undefined> {
  for (let to = stretch.end; to > stretch.start; to -= stride) {
    let found: T | undefined;
    await scan(
      log,
      stretch,
      to - stride - LEADS[0]!,
      to,
      handler((each) => (found = each)),
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Decodes what the stretch has between two positions, from the start of a page on, until `enough`. */
async function scan(
  { archive, inventory, segmentSize }: SearchedLog,
  stretch: Stretch,
  from: Lsn,
  to: Lsn,
  handler: WalScanHandler,
  enough: () => boolean = () => false,
): Promise<void> {
  const first = stretch.start + ((PAGE - (stretch.start % PAGE)) % PAGE);
  const start = from > first ? from - (from % PAGE) : first;
  const reader = new Reader(start, handler, segmentSize);
  for (const part of stretch.parts) {
    const [begin, end] = [laterLsn(start, part.start), earlierLsn(to, part.end)];
    if (begin >= end) continue;
    for await (const run of archive.read(part.timeline, begin, end, inventory)) {
      reader.push(run.start, run.bytes);
      if (enough()) return;
    }
  }
}

/** What a switch left of a segment is empty: a scan that would begin there begins with the next segment. */
class Reader {
  readonly #handler: WalScanHandler;
  readonly #segmentSize: number;
  #start: Lsn;
  #scanner: WalScanner;

  constructor(start: Lsn, handler: WalScanHandler, segmentSize: number) {
    this.#handler = handler;
    this.#segmentSize = segmentSize;
    this.#start = start;
    this.#scanner = new WalScanner(start, handler, { segmentSize });
  }

  push(at: Lsn, bytes: Buffer): void {
    const skipped = Number(laterLsn(this.#start, at) - at);
    this.#scanner.push(bytes.subarray(skipped));
    const isBlank = this.#scanner.ended !== undefined && this.#scanner.end === this.#start;
    if (!isBlank) return;
    const next = segmentStart(this.#start, this.#segmentSize) + BigInt(this.#segmentSize);
    this.#start = next;
    this.#scanner = new WalScanner(next, this.#handler, { segmentSize: this.#segmentSize });
    if (next < at + BigInt(bytes.length)) this.push(at, bytes);
  }
}
