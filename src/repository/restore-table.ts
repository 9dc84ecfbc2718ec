/**
 * What a restore is to write: one row per directory, file and link, in columns that worker threads share. A million files take about
 * 80 bytes each plus their names; no object is kept per file.
 *
 * Row 0 is the target directory. A row's parent always has a smaller number, so ascending order creates, descending order finishes.
 */

export const KIND = { directory: 0, file: 1, symlink: 2, hardLink: 3 } as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

/** What became of a file so far; workers and main thread share it. */
export const STATE = { fresh: 0, existing: 1, done: 2, failed: 3 } as const;

export interface RowMeta {
  /** `st_mode & 0o7777`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
}

/** The columns by row, then by reference. A reference is one blob at one place of one file. All memory is shared. */
export interface RestoreColumns {
  readonly rows: number;
  readonly refs: number;
  readonly kind: Uint8Array;
  readonly state: Uint8Array;
  readonly parent: Uint32Array;
  /** Where the name begins in `names`, and its length in bytes. */
  readonly nameAt: Uint32Array;
  readonly nameLength: Uint16Array;
  readonly mode: Uint16Array;
  readonly uid: Uint32Array;
  readonly gid: Uint32Array;
  readonly mtimeNs: BigInt64Array;
  /** Bytes of a file. */
  readonly size: Float64Array;
  /** File: its first reference. Symlink: where its target begins in `names`. Hard link: the row of the file it is another name of. */
  readonly start: Uint32Array;
  /** File: how many references. Symlink: the length of its target in bytes. */
  readonly count: Uint32Array;
  /** File: references not written yet. */
  readonly remaining: Int32Array;
  /** File: 1 when its room on the disk is taken before it is written. */
  readonly reserved: Uint8Array;
  readonly names: Uint8Array;
  /** The blob's row in the index. */
  readonly refBlob: Uint32Array;
  readonly refFile: Uint32Array;
  /** Bytes from the beginning of the file. */
  readonly refOffset: Float64Array;
  /** 1 once the bytes stand in the file. */
  readonly refDone: Uint8Array;
}

type Numbers =
  | Uint8Array<SharedArrayBuffer>
  | Uint16Array<SharedArrayBuffer>
  | Uint32Array<SharedArrayBuffer>
  | Int32Array<SharedArrayBuffer>
  | Float64Array<SharedArrayBuffer>
  | BigInt64Array<SharedArrayBuffer>;

/** A column, whatever it holds. */
type Growable = Pick<Column<Numbers>, 'expect' | 'reserve'>;

class Column<T extends Numbers> {
  values: T;
  readonly #make: (buffer: SharedArrayBuffer) => T;

  constructor(make: (buffer: SharedArrayBuffer) => T, bytes: number) {
    this.#make = make;
    this.values = make(new SharedArrayBuffer(bytes));
  }

  /** Makes room for `rows` values at the beginning. The memory is taken as it is written to. */
  expect(rows: number): void {
    if (rows > this.values.length)
      this.values = this.#make(new SharedArrayBuffer(rows * this.values.BYTES_PER_ELEMENT));
  }

  /** Makes room for `rows` values; what is there stays. */
  reserve(rows: number): void {
    if (rows <= this.values.length) return;
    const grown = this.#make(new SharedArrayBuffer(Math.ceil(rows * 1.4) * this.values.BYTES_PER_ELEMENT));
    (grown as Uint8Array).set(this.values as Uint8Array);
    this.values = grown;
  }
}

const FIRST_BYTES = 8192;
const bytes = () => new Column((buffer) => new Uint8Array(buffer), FIRST_BYTES);
const words16 = () => new Column((buffer) => new Uint16Array(buffer), FIRST_BYTES);
const words32 = () => new Column((buffer) => new Uint32Array(buffer), FIRST_BYTES);
const words64 = () => new Column((buffer) => new BigInt64Array(buffer), FIRST_BYTES);
const doubles = () => new Column((buffer) => new Float64Array(buffer), FIRST_BYTES);

/** Row and reference numbers are kept in 32 bits, and so are places in `names`. */
const MAX_ROWS = 2 ** 31;
/** What a point says of itself is believed up to here. */
const MAX_EXPECTED = 2 ** 24;
const NAME_BYTES = 24;

export class RestoreTable {
  rows = 0;
  refs = 0;
  #namesSize = 0;
  readonly #kind = bytes();
  readonly #parent = words32();
  readonly #nameAt = words32();
  readonly #nameLength = words16();
  readonly #mode = words16();
  readonly #uid = words32();
  readonly #gid = words32();
  readonly #mtimeNs = words64();
  readonly #size = doubles();
  readonly #start = words32();
  readonly #count = words32();
  readonly #reserved = bytes();
  readonly #names = bytes();
  readonly #refBlob = words32();
  readonly #refFile = words32();
  readonly #refOffset = doubles();

  readonly #rowColumns: readonly Growable[] = [
    this.#kind,
    this.#parent,
    this.#nameAt,
    this.#nameLength,
    this.#mode,
    this.#uid,
    this.#gid,
    this.#mtimeNs,
    this.#size,
    this.#start,
    this.#count,
    this.#reserved,
  ];

  /** Begins with the target directory as row 0. `expectedRows` saves growing, which copies; more or fewer may come. */
  constructor(target: RowMeta, expectedRows = 0) {
    const rows = Math.min(expectedRows, MAX_EXPECTED);
    for (const column of [...this.#rowColumns, this.#refBlob, this.#refFile, this.#refOffset]) column.expect(rows);
    this.#names.expect(rows * NAME_BYTES);
    this.#add(KIND.directory, 0, new Uint8Array(0), target);
  }

  addDirectory(parent: number, name: Uint8Array, meta: RowMeta): number {
    return this.#add(KIND.directory, parent, name, meta);
  }

  /** Adds a file; its references follow by `addRef`. */
  addFile(parent: number, name: Uint8Array, meta: RowMeta): number {
    const row = this.#add(KIND.file, parent, name, meta);
    this.#start.values[row] = this.refs;
    return row;
  }

  /** The next blob of the file added last: its row in the index and its plain length. */
  addRef(blob: number, length: number): void {
    const file = this.rows - 1;
    const ref = this.refs++;
    if (this.refs >= MAX_ROWS) throw new RangeError('too many blobs for one restore');
    this.#refBlob.reserve(this.refs);
    this.#refFile.reserve(this.refs);
    this.#refOffset.reserve(this.refs);
    const size = this.#size.values[file]!;
    this.#refBlob.values[ref] = blob;
    this.#refFile.values[ref] = file;
    this.#refOffset.values[ref] = size;
    this.#size.values[file] = size + length;
    this.#count.values[file] = this.#count.values[file]! + 1;
  }

  addSymlink(parent: number, name: Uint8Array, meta: RowMeta, target: Uint8Array): number {
    const row = this.#add(KIND.symlink, parent, name, meta);
    this.#start.values[row] = this.#keepName(target);
    this.#count.values[row] = target.length;
    return row;
  }

  /** Another name of the file in row `first`. */
  addHardLink(parent: number, name: Uint8Array, meta: RowMeta, first: number): number {
    const row = this.#add(KIND.hardLink, parent, name, meta);
    this.#start.values[row] = first;
    return row;
  }

  /** The room of the file in `row` is to be taken before it is written. */
  reserveRoom(row: number): void {
    this.#reserved.values[row] = 1;
  }

  setMode(row: number, mode: number): void {
    this.#mode.values[row] = mode;
  }

  size(row: number): number {
    return this.#size.values[row]!;
  }

  /** Whether the file in `row` consists of exactly these blobs. */
  hasContent(row: number, blobs: readonly number[]): boolean {
    const start = this.#start.values[row]!;
    return (
      this.#count.values[row] === blobs.length && blobs.every((blob, i) => this.#refBlob.values[start + i] === blob)
    );
  }

  /** The finished columns; nothing may be added afterwards. */
  freeze(): RestoreColumns {
    const shared = (bytes: number) => new SharedArrayBuffer(bytes);
    return {
      rows: this.rows,
      refs: this.refs,
      kind: this.#kind.values,
      state: new Uint8Array(shared(this.rows)),
      parent: this.#parent.values,
      nameAt: this.#nameAt.values,
      nameLength: this.#nameLength.values,
      mode: this.#mode.values,
      uid: this.#uid.values,
      gid: this.#gid.values,
      mtimeNs: this.#mtimeNs.values,
      size: this.#size.values,
      start: this.#start.values,
      count: this.#count.values,
      remaining: remainingOf(this.#count.values, this.rows),
      reserved: this.#reserved.values,
      names: this.#names.values,
      refBlob: this.#refBlob.values,
      refFile: this.#refFile.values,
      refOffset: this.#refOffset.values,
      refDone: new Uint8Array(shared(this.refs)),
    };
  }

  #add(kind: Kind, parent: number, name: Uint8Array, meta: RowMeta): number {
    const row = this.rows++;
    if (this.rows >= MAX_ROWS) throw new RangeError('too many files for one restore');
    for (const column of this.#rowColumns) column.reserve(this.rows);
    this.#kind.values[row] = kind;
    this.#parent.values[row] = parent;
    this.#nameAt.values[row] = this.#keepName(name);
    this.#nameLength.values[row] = name.length;
    this.#mode.values[row] = meta.mode;
    this.#uid.values[row] = meta.uid;
    this.#gid.values[row] = meta.gid;
    this.#mtimeNs.values[row] = meta.mtimeNs;
    return row;
  }

  #keepName(bytes: Uint8Array): number {
    const at = this.#namesSize;
    this.#namesSize += bytes.length;
    if (this.#namesSize >= MAX_ROWS) throw new RangeError('the names of one restore take more than 2 GiB');
    this.#names.reserve(this.#namesSize);
    this.#names.values.set(bytes, at);
    return at;
  }
}

function remainingOf(counts: Uint32Array, rows: number): Int32Array {
  const remaining = new Int32Array(new SharedArrayBuffer(rows * 4));
  remaining.set(counts.subarray(0, rows));
  return remaining;
}
