/**
 * Cuts the log of one timeline, as it is received, into spans to be stored: a whole segment (of large segments, a stretch of 16 MiB) as soon
 * as it is complete, and slices of the one that is being written. Knows the times of the commits whose records end in each.
 */
import type { Lsn } from '../../postgres/lsn.ts';
import { type CommitRecord, WalScanner } from '../../postgres/wal-records.ts';
import { type CommitTime, MAX_PIECE_BYTES } from '../piece.ts';

/** What is to be stored as one piece. */
export interface CutSpan {
  readonly timeline: number;
  readonly start: Lsn;
  readonly end: Lsn;
  readonly firstCommit: CommitTime | undefined;
  readonly lastCommit: CommitTime | undefined;
  /** Takes the place of the slices within it. */
  readonly replaces: boolean;
}

export interface CutterOptions {
  readonly timeline: number;
  /** The start of a segment. */
  readonly start: Lsn;
  readonly segmentSize: number;
  readonly cut: (span: CutSpan) => void;
  /** Asked at the end of a piece of which a part is in slices: whether the rest cannot wait for the whole, and is cut as one before it. */
  readonly isRestUrgent: () => boolean;
}

/** Slices of one piece beyond this number are replaced by one that holds them all. */
const MAX_SLICES = 64;

export class Cutter {
  readonly timeline: number;
  readonly #options: CutterOptions;
  readonly #pieceSize: bigint;
  #scanner: WalScanner;
  #scanStart: Lsn = 0n;
  readonly #pieceTimes = new Times();
  readonly #sliceTimes = new Times();
  #pieceStart: Lsn;
  #sliceStart: Lsn;
  #position: Lsn;
  #slices = 0;
  #hasTarget = false;
  #lastCommit: CommitTime | undefined;
  #commitsEnd: Lsn | undefined;

  constructor(options: CutterOptions) {
    const { timeline, start, segmentSize } = options;
    this.timeline = timeline;
    this.#options = options;
    this.#pieceSize = BigInt(Math.min(segmentSize, MAX_PIECE_BYTES));
    this.#pieceStart = start;
    this.#sliceStart = start;
    this.#position = start;
    this.#scanner = this.#scan(start);
  }

  /** The end of what was pushed. */
  get position(): Lsn {
    return this.#position;
  }

  /** The latest commit of all. */
  get lastCommit(): CommitTime | undefined {
    return this.#lastCommit;
  }

  /**
   * Every commit ends here or before: where the last one in the log ends, whatever the times say. Undefined before the first record, and where
   * the log cannot be read.
   */
  get commitsEnd(): Lsn | undefined {
    return this.#scanner.ended === undefined ? this.#commitsEnd : undefined;
  }

  /** Whether there is anything that is in no slice and no piece yet. */
  get isLoose(): boolean {
    return this.#position > this.#sliceStart;
  }

  /** Whether a commit or a restore point is among it, or could be: what cannot be read may hold anything. */
  get holdsTarget(): boolean {
    return this.isLoose && (this.#hasTarget || this.#scanner.ended !== undefined);
  }

  /** Takes the bytes that follow. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const left = Number(this.#pieceStart + this.#pieceSize - this.#position);
      const part = bytes.subarray(at, at + left);
      this.#scanner.push(part);
      // A record that began before the log did is stepped over, and may be a commit: the first end of a record is behind it.
      if (this.#commitsEnd === undefined && this.#scanner.end > this.#scanStart) this.#commitsEnd = this.#scanner.end;
      this.#position += BigInt(part.length);
      at += part.length;
      if (part.length === left) this.#endPiece(true);
    }
  }

  #scan(start: Lsn): WalScanner {
    this.#scanStart = start;
    this.#commitsEnd = undefined;
    const handler = { commit: (record: CommitRecord) => this.#commit(record), restorePoint: () => this.#target() };
    return new WalScanner(start, handler, { segmentSize: this.#options.segmentSize });
  }

  /** Cuts what is loose; every so often also one slice that replaces those before it. */
  cutSlice(): void {
    if (!this.isLoose) return;
    this.#slices += 1;
    this.#cut(this.#sliceStart, this.#sliceTimes, false);
    this.#sliceStart = this.#position;
    this.#sliceTimes.clear();
    this.#hasTarget = false;
    if (this.#slices < MAX_SLICES) return;
    this.#slices = 1;
    this.#cut(this.#pieceStart, this.#pieceTimes, true);
  }

  /** Nothing follows on this timeline: what is there of the last segment is cut as one. */
  finish(): void {
    if (this.#position > this.#pieceStart) this.#endPiece(this.#slices > 0);
  }

  #endPiece(replaces: boolean): void {
    const isRest = this.#slices > 0 && this.holdsTarget;
    if (isRest && this.#options.isRestUrgent()) this.#cut(this.#sliceStart, this.#sliceTimes, false);
    this.#cut(this.#pieceStart, this.#pieceTimes, replaces);
    if (this.#scanner.ended !== undefined) this.#scanner = this.#scan(this.#position);
    this.#pieceStart = this.#position;
    this.#sliceStart = this.#position;
    this.#slices = 0;
    this.#hasTarget = false;
    this.#pieceTimes.clear();
    this.#sliceTimes.clear();
  }

  #cut(start: Lsn, { first, last }: Times, replaces: boolean): void {
    const { timeline, cut } = this.#options;
    cut({ timeline, start, end: this.#position, firstCommit: first, lastCommit: last, replaces });
  }

  #commit({ time, end }: CommitRecord): void {
    this.#commitsEnd = end;
    this.#pieceTimes.add(time);
    this.#sliceTimes.add(time);
    this.#hasTarget = true;
    if (time > (this.#lastCommit ?? 0n)) this.#lastCommit = time;
  }

  #target(): void {
    this.#hasTarget = true;
  }
}

class Times {
  first: CommitTime | undefined;
  last: CommitTime | undefined;

  add(time: CommitTime): void {
    if (this.first === undefined || time < this.first) this.first = time;
    if (this.last === undefined || time > this.last) this.last = time;
  }

  clear(): void {
    this.first = undefined;
    this.last = undefined;
  }
}
