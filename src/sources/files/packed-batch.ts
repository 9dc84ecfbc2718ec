/**
 * The form in which the scanning thread hands over what it found: some hundreds of entries in three flat arrays that are moved between
 * threads, not copied. A batch may begin and end anywhere in the tree; directories nest by `dir` … `up` rows across batches.
 *
 * One row per entry:
 *   numbers (Uint32):    st_mode (0: `up`, leave the current directory), uid, gid, links, end of the name, end of the link target
 *   wide (BigInt64):     size, mtime in ns, ctime in ns, inode, device
 *   text:                name and link target of each row, one after the other; the ends are offsets into it
 */
import type { BigIntStats } from 'node:fs';
import type { SourceNotice } from '../entry.ts';

export interface PackedBatch {
  readonly rows: number;
  readonly numbers: Uint32Array<ArrayBuffer>;
  readonly wide: BigInt64Array<ArrayBuffer>;
  readonly text: Uint8Array<ArrayBuffer>;
  /** What there was to say while these rows were found. */
  readonly notices: readonly SourceNotice[];
}

export const NUMBERS_PER_ROW = 6;
export const WIDE_PER_ROW = 5;

/** A batch is sent when it has this many rows… */
const MAX_ROWS = 1024;
/** …or this many bytes of names and link targets (it may exceed this by one row: at most 255 + 4,095 bytes)… */
const MAX_TEXT = 128 * 1024;
/** …or this many notices. */
const MAX_NOTICES = 256;
const TEXT_CAPACITY = MAX_TEXT + 16 * 1024;

/** Collects rows and sends them in batches. Names and targets are byte strings. */
export class BatchPacker {
  readonly #send: (batch: PackedBatch) => void;
  readonly #text = Buffer.allocUnsafeSlow(TEXT_CAPACITY);
  #numbers = new Uint32Array(MAX_ROWS * NUMBERS_PER_ROW);
  #wide = new BigInt64Array(MAX_ROWS * WIDE_PER_ROW);
  #notices: SourceNotice[] = [];
  #rows = 0;
  #used = 0;

  constructor(send: (batch: PackedBatch) => void) {
    this.#send = send;
  }

  /** A directory (whose entries follow, then `up`), a file or a symbolic link, told apart by `mode`, the whole `st_mode`. */
  entry(name: string, mode: number, stats: BigIntStats, target = ''): void {
    const wide = this.#rows * WIDE_PER_ROW;
    this.#wide[wide] = stats.size;
    this.#wide[wide + 1] = stats.mtimeNs;
    this.#wide[wide + 2] = stats.ctimeNs;
    this.#wide[wide + 3] = stats.ino;
    this.#wide[wide + 4] = stats.dev;
    const at = this.#rows * NUMBERS_PER_ROW;
    this.#numbers[at] = mode;
    this.#numbers[at + 1] = Number(stats.uid);
    this.#numbers[at + 2] = Number(stats.gid);
    this.#numbers[at + 3] = Number(stats.nlink);
    this.#numbers[at + 4] = this.#append(name);
    this.#numbers[at + 5] = this.#append(target);
    this.#rowDone();
  }

  /** The end of the innermost open directory. */
  up(): void {
    const at = this.#rows * NUMBERS_PER_ROW;
    this.#numbers[at] = 0;
    this.#numbers[at + 4] = this.#used;
    this.#numbers[at + 5] = this.#used;
    this.#rowDone();
  }

  notice(notice: SourceNotice): void {
    this.#notices.push(notice);
    if (this.#notices.length >= MAX_NOTICES) this.flush();
  }

  /** Sends what there is; nothing when there is nothing. */
  flush(): void {
    if (this.#rows === 0 && this.#notices.length === 0) return;
    const text = Uint8Array.prototype.slice.call(this.#text, 0, this.#used) as Uint8Array<ArrayBuffer>;
    const batch = { rows: this.#rows, numbers: this.#numbers, wide: this.#wide, text, notices: this.#notices };
    this.#numbers = new Uint32Array(MAX_ROWS * NUMBERS_PER_ROW);
    this.#wide = new BigInt64Array(MAX_ROWS * WIDE_PER_ROW);
    this.#notices = [];
    this.#rows = 0;
    this.#used = 0;
    this.#send(batch);
  }

  #append(bytes: string): number {
    if (bytes.length > 0) this.#used += this.#text.write(bytes, this.#used, 'latin1');
    return this.#used;
  }

  #rowDone(): void {
    this.#rows += 1;
    if (this.#rows >= MAX_ROWS || this.#used >= MAX_TEXT) this.flush();
  }
}
