/**
 * Records out of the write-ahead log of PostgreSQL 15 to 18, as it streams by. Pages, records over several pages and calls, the rest of a
 * segment after a switch, records that were given up (overwritten after a crash) are followed as the server's own reader does
 * (src/backend/access/transam/xlogreader.c). Records that nobody wants are stepped over, not copied. Whatever comes, nothing is thrown:
 * what is not the next record is the end of the log.
 */
import { crc32c } from '../base/crc32c.ts';
import { Failure } from '../base/failure.ts';
import type { Lsn } from './lsn.ts';
import {
  type CheckpointRecord,
  type CommitRecord,
  decodeCheckpoint,
  decodeRestorePoint,
  decodeTransactionEnd,
  type RecordPlace,
  type RestorePointRecord,
} from './xlog/decode.ts';
import { aligned, CHECKSUM_AT, MAX_RECORD, PAGE_FLAG, PAGE_SIZE, RECORD_HEADER } from './xlog/format.ts';
import { Gathered } from './xlog/gathered.ts';
import { INTEREST, interestTable } from './xlog/interest.ts';
import { isSegmentSize } from './xlog/page.ts';
import { PageHeaders } from './xlog/page-headers.ts';

export { type BlockReference, type RelationLocator, readBody } from './xlog/body.ts';
export type { CommitRecord, RecordPlace, RestorePointRecord } from './xlog/decode.ts';
export { RMGR, XLOG } from './xlog/format.ts';
export { readSegmentHeader, type SegmentHeader } from './xlog/page.ts';

/** Any record, as it stands in the log. */
export interface WalRecord extends RecordPlace {
  readonly resourceManager: number;
  readonly info: number;
  /** 0 where no transaction wrote it. */
  readonly xid: number;
  /** Header included. Valid only during the call; of records beyond 64 MiB only the beginning. */
  readonly bytes: Uint8Array;
}

/** What is told, in the order of the log. What is not asked for costs nearly nothing. */
export interface WalScanHandler {
  commit?(record: CommitRecord): void;
  restorePoint?(record: RestorePointRecord): void;
  checkpoint?(record: CheckpointRecord): void;
  record?(record: WalRecord): void;
  /** Which records `record` is called with; asked once for each kind, before the scan. Default: all. */
  wants?(resourceManager: number, info: number): boolean;
}

export interface WalScanOptions {
  /** Of the cluster, in bytes. */
  readonly segmentSize: number;
  /** Whether a record with a wrong checksum ends the log. Default false. */
  readonly verifyCrc?: boolean;
}

const DEFAULT_SEGMENT = 16 * 1024 * 1024;
const WORD = 0x1_0000_0000;

/**
 * Decodes records from a contiguous run of WAL that begins at the start of a page; `push` takes chunks of any length. A record is told when
 * its last byte has come, padding to the next record included. A record that began before the run is stepped over.
 *
 * Positions are numbers of bytes since the start of the first page's segment: exact, and many times faster than bigints.
 */
export class WalScanner {
  readonly #handler: WalScanHandler;
  readonly #segmentSize: number;
  readonly #verify: boolean;
  readonly #interest: Uint8Array;
  readonly #pages: PageHeaders;
  readonly #base: Lsn;
  readonly #baseLow: number;
  readonly #baseHigh: number;
  /** Where the run began. */
  readonly #first: number;
  #ended: string | undefined;
  /** The next byte to take. */
  #at: number;
  #lastEnd: number;
  /** Where the last record began; negative when that is not known. */
  #lastStart = -1;
  /** Bytes left on this page; at 0 a header comes next. */
  #page = 0;
  /** Bytes left of a segment after a switch. */
  #skip = 0;
  /** Of the record that is being taken: */
  readonly #header = new Uint8Array(RECORD_HEADER);
  readonly #headerView = new DataView(this.#header.buffer);
  #headerLength = 0;
  #start = 0;
  #left = 0;
  #padding = 0;
  /** The rest of a record that began before the run. */
  #foreign = false;
  #crc = 0;
  #gathered: Gathered | undefined;

  constructor(start: Lsn, handler: WalScanHandler, options: WalScanOptions = { segmentSize: DEFAULT_SEGMENT }) {
    const { segmentSize, verifyCrc = false } = options;
    if (!isSegmentSize(segmentSize)) throw new Failure('internal', `No segment of WAL has ${segmentSize} bytes.`);
    if (start < 0n || start % BigInt(PAGE_SIZE) !== 0n) {
      throw new Failure('internal', 'WAL can be decoded only from the start of a page.');
    }
    this.#handler = handler;
    this.#segmentSize = segmentSize;
    this.#verify = verifyCrc;
    this.#interest = interestTable({
      transactions: handler.commit !== undefined,
      restorePoints: handler.restorePoint !== undefined,
      checkpoints: handler.checkpoint !== undefined,
      records: handler.record && ((manager, info) => handler.wants?.(manager, info) ?? true),
    });
    this.#pages = new PageHeaders(segmentSize);
    this.#first = Number(start % BigInt(segmentSize));
    this.#base = start - BigInt(this.#first);
    this.#baseLow = Number(this.#base & 0xffff_ffffn);
    this.#baseHigh = Number(this.#base >> 32n);
    this.#at = this.#first;
    this.#lastEnd = this.#first;
  }

  /** Where the last whole record ends; the start of the run before there is one. Never beyond `position`. */
  get end(): Lsn {
    return this.#lsn(this.#lastEnd);
  }

  /** The end of the bytes taken. Stays where it is once the log has ended. */
  get position(): Lsn {
    return this.#lsn(this.#at);
  }

  /** Why nothing more is taken, one sentence; undefined while records may still come. Zeros are how a log ends that is not full yet. */
  get ended(): string | undefined {
    return this.#ended;
  }

  /** The version of PostgreSQL that wrote the log; 0 before the first page. */
  get major(): number {
    return this.#pages.major;
  }

  /** Takes the next bytes of the run; once the log has ended, ignores them. */
  push(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    while (at < bytes.length && this.#ended === undefined) {
      if (this.#skip > 0) at += this.#skipped(bytes.length - at);
      else if (this.#page === 0) at += this.#pageBytes(bytes, at);
      else {
        const here = Math.min(this.#page, bytes.length - at);
        if (this.#left > 0) at += this.#bodyBytes(bytes, at, here);
        else if (this.#headerLength > 0 || here < RECORD_HEADER) at += this.#headerBytes(bytes, at, here);
        else at += this.#wholeRecords(bytes, view, at, here);
      }
    }
  }

  #lsn(at: number): Lsn {
    return this.#base + BigInt(at);
  }

  #stop(why: string): number {
    this.#ended = why;
    return 0;
  }

  #advance(length: number): number {
    this.#at += length;
    this.#page -= length;
    return length;
  }

  #skipped(available: number): number {
    const length = Math.min(this.#skip, available);
    this.#skip -= length;
    this.#at += length;
    if (!this.#isLead) this.#lastEnd = this.#at;
    return length;
  }

  /** Before the first record of the run: zeros may be the rest of a segment that the server had switched away from. */
  get #isLead(): boolean {
    return this.#lastStart < 0 && this.#left === 0;
  }

  #skipLead(): void {
    this.#headerLength = 0;
    this.#skipSegment();
  }

  #skipSegment(): void {
    this.#skip = (this.#segmentSize - (this.#at % this.#segmentSize)) % this.#segmentSize;
    this.#page = 0;
  }

  /** The header of a page, which may come in several parts. */
  #pageBytes(bytes: Uint8Array, at: number): number {
    const length = this.#pages.take(bytes, at, this.#at);
    const header = this.#pages.complete();
    if (header === 0) return length;
    const isEmpty = this.#isLead && this.#pages.isEmpty;
    const why = isEmpty ? undefined : this.#newPage();
    if (why !== undefined) return this.#stop(why);
    this.#at += header;
    this.#page = PAGE_SIZE - header;
    if (isEmpty) this.#skipLead();
    return length;
  }

  /** Why the page is not the next one of this log. */
  #newPage(): string | undefined {
    const header = this.#pages.read(this.#lsn(this.#at));
    return typeof header === 'string' ? header : this.#continuation(header.flags, header.remaining);
  }

  /** What the page says of a record that began before it has to be what is known of that record. */
  #continuation(flags: number, remaining: number): string | undefined {
    const continues = (flags & PAGE_FLAG.continues) !== 0;
    if (this.#left > 0 || this.#headerLength > 0) {
      if (flags & PAGE_FLAG.overwritten && !continues) return this.#giveUp();
      return continues && remaining === this.#missing() ? undefined : 'A record does not go on.';
    }
    if (!continues) return undefined;
    if (this.#at !== this.#first || remaining === 0 || remaining > MAX_RECORD)
      return 'A record goes on that never began.';
    this.#foreign = true;
    this.#left = aligned(remaining);
    this.#padding = this.#left - remaining;
    return undefined;
  }

  /** Bytes still to come of the record, without padding. */
  #missing(): number {
    if (this.#left > 0) return this.#left - this.#padding;
    return this.#headerView.getUint32(0, true) - this.#headerLength;
  }

  /** A crash cut the record off, and the server went on after it. */
  #giveUp(): undefined {
    this.#left = 0;
    this.#headerLength = 0;
    this.#foreign = false;
    this.#gathered = undefined;
    return undefined;
  }

  /** The header of a record, which may come in several parts, and may go on on the next page. */
  #headerBytes(bytes: Uint8Array, at: number, here: number): number {
    if (this.#headerLength === 0) this.#start = this.#at;
    const length = Math.min(RECORD_HEADER - this.#headerLength, here);
    this.#header.set(bytes.subarray(at, at + length), this.#headerLength);
    this.#headerLength += length;
    this.#advance(length);
    if (this.#headerLength < RECORD_HEADER) return length;
    const view = this.#headerView;
    if (!this.#isNext(view, 0)) return length;
    const total = view.getUint32(0, true);
    const interest = this.#interestIn(view, 0);
    if (interest & INTEREST.invalid) return this.#stop('No such kind of record.');
    this.#left = aligned(total) - RECORD_HEADER;
    this.#padding = aligned(total) - total;
    this.#crc = 0;
    this.#gathered = (interest & INTEREST.gather) !== 0 ? new Gathered(total) : undefined;
    this.#gathered?.add(this.#header);
    if (this.#left === 0) this.#finish();
    return length;
  }

  #bodyBytes(bytes: Uint8Array, at: number, here: number): number {
    const length = Math.min(this.#left, here);
    const real = Math.min(length, Math.max(0, this.#left - this.#padding));
    if (!this.#foreign && (this.#verify || this.#gathered !== undefined)) {
      const part = bytes.subarray(at, at + real);
      if (this.#verify) this.#crc = crc32c(part, this.#crc);
      this.#gathered?.add(part);
    }
    this.#left -= length;
    this.#advance(length);
    if (this.#left === 0) this.#finish();
    return length;
  }

  /** The last byte of a record that came in parts has come. */
  #finish(): void {
    if (this.#foreign) {
      this.#foreign = false;
      this.#lastEnd = this.#at;
      return;
    }
    this.#headerLength = 0;
    const checksum = this.#headerView.getUint32(CHECKSUM_AT, true);
    if (this.#verify && crc32c(this.#header.subarray(0, CHECKSUM_AT), this.#crc) !== checksum) {
      this.#stop('The checksum of a record is wrong.');
      return;
    }
    const gathered = this.#gathered;
    this.#gathered = undefined;
    this.#took(this.#start, this.#interestIn(this.#headerView, 0), gathered?.bytes);
  }

  /** Records that are in one page and one chunk, header first: most of them. */
  #wholeRecords(bytes: Uint8Array, view: DataView, from: number, available: number): number {
    let at = from;
    const to = from + available;
    while (to - at >= RECORD_HEADER && this.#skip === 0) {
      const total = view.getUint32(at, true);
      const length = (total + 7) & ~7;
      if (length > to - at || total > MAX_RECORD)
        return at > from ? at - from : this.#headerBytes(bytes, at, available);
      if (!this.#isNext(view, at)) return at - from;
      const interest = this.#interestIn(view, at);
      if (interest & INTEREST.invalid) return this.#stop('No such kind of record.');
      if (this.#verify && !isWhole(bytes, view, at, total)) return this.#stop('The checksum of a record is wrong.');
      const start = this.#at;
      this.#advance(length);
      at += length;
      if (interest === 0) {
        this.#lastStart = start;
        this.#lastEnd = this.#at;
      } else {
        this.#took(start, interest, bytes.subarray(at - length, at - length + total));
      }
    }
    return at - from;
  }

  /** Whether the header at `at` is that of the record after the last one; otherwise the log has ended. */
  #isNext(view: DataView, at: number): boolean {
    const total = view.getUint32(at, true);
    if (total < RECORD_HEADER || total > MAX_RECORD) {
      if (total === 0 && this.#isLead) this.#skipLead();
      else this.#stop(total === 0 ? 'The log ends here.' : 'The length of a record is wrong.');
      return false;
    }
    if (this.#lastStart < 0) return true;
    const low = this.#baseLow + this.#lastStart;
    const fits =
      view.getUint32(at + 8, true) === low % WORD &&
      view.getUint32(at + 12, true) === this.#baseHigh + Math.floor(low / WORD);
    if (!fits) this.#stop('The record does not follow the one before.');
    return fits;
  }

  #interestIn(view: DataView, at: number): number {
    return this.#interest[(view.getUint8(at + 17) << 8) | view.getUint8(at + 16)]!;
  }

  /** A record is complete and valid: `bytes` are there when somebody wants it. */
  #took(start: number, interest: number, bytes: Uint8Array | undefined): void {
    this.#lastStart = start;
    this.#lastEnd = this.#at;
    if (bytes !== undefined && interest & INTEREST.gather) this.#tell(start, interest, bytes);
    if (interest & INTEREST.switch) this.#skipSegment();
  }

  #tell(from: number, interest: number, bytes: Uint8Array): void {
    const place = { start: this.#lsn(from), end: this.#lsn(this.#at) };
    if (interest & INTEREST.transaction) {
      const decoded = decodeTransactionEnd(bytes, place, this.#pages.major);
      if (decoded !== undefined) this.#handler.commit?.(decoded);
    }
    if (interest & INTEREST.restorePoint) {
      const decoded = decodeRestorePoint(bytes, place);
      if (decoded !== undefined) this.#handler.restorePoint?.(decoded);
    }
    if (interest & INTEREST.checkpoint) {
      const decoded = decodeCheckpoint(bytes, place);
      if (decoded !== undefined) this.#handler.checkpoint?.(decoded);
    }
    if (interest & INTEREST.record) this.#handler.record?.(walRecord(bytes, place));
  }
}

function walRecord(bytes: Uint8Array, { start, end }: RecordPlace): WalRecord {
  const xid = (bytes[4]! | (bytes[5]! << 8) | (bytes[6]! << 16) | (bytes[7]! << 24)) >>> 0;
  return { resourceManager: bytes[17]!, info: bytes[16]!, xid, start, end, bytes };
}

function isWhole(bytes: Uint8Array, view: DataView, at: number, total: number): boolean {
  const body = crc32c(bytes.subarray(at + RECORD_HEADER, at + total));
  return crc32c(bytes.subarray(at, at + CHECKSUM_AT), body) === view.getUint32(at + CHECKSUM_AT, true);
}
