/**
 * A hash table from 32-byte ids to row numbers, in typed arrays that threads can share.
 *
 * Rows are numbered from 0 in order of insertion; the same id may have several rows (one blob in two packs). Cost: 32 bytes a row for the
 * id and, at a load between 0.55 and 0.8, 5 to 7 bytes for the slots. Ids are SHA-256 sums, so their first word is the hash.
 */

const WORDS = 8;
/** Rows a table of slots is made for, by the slots it had: with the fifth that stays free they grow by 44 percent. */
const SLOT_GROWTH = 1.15;
/** Row columns are growable in place; this is how far. 2^26 blobs of 1 MiB are 64 TiB. */
const MAX_ROWS = 2 ** 26;

/** What another thread needs to look things up in a table that no longer changes. */
export interface FrozenIdTable {
  readonly keys: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
  readonly rows: number;
}

/** A typed-array column that grows in place and can be shared. */
export function growableColumn(bytesPerRow: number, rows: number): SharedArrayBuffer {
  return new SharedArrayBuffer(rows * bytesPerRow, { maxByteLength: MAX_ROWS * bytesPerRow });
}

/** A view of all that `column` has now. One that follows its growth by itself would ask for the length at every access. */
export function wholeView<T>(
  View: new (buffer: SharedArrayBuffer, from: number, length: number) => T,
  column: SharedArrayBuffer,
): T {
  return new View(column, 0, column.byteLength / 4);
}

const scratch = new Int32Array(WORDS);
const scratchBytes = new Uint8Array(scratch.buffer);

export class IdTable {
  #keys: SharedArrayBuffer;
  #words: Int32Array;
  #slots: Int32Array;
  #rows: number;
  #capacity: number;

  constructor(expectedRows = 1024) {
    this.#capacity = Math.max(16, expectedRows);
    this.#keys = growableColumn(32, this.#capacity);
    this.#words = wholeView(Int32Array, this.#keys);
    this.#slots = newSlots(this.#capacity);
    this.#rows = 0;
  }

  static fromFrozen(frozen: FrozenIdTable): IdTable {
    const table = new IdTable(0);
    table.#keys = frozen.keys;
    table.#words = wholeView(Int32Array, frozen.keys);
    table.#slots = new Int32Array(frozen.slots);
    table.#rows = frozen.rows;
    table.#capacity = frozen.rows;
    return table;
  }

  freeze(): FrozenIdTable {
    return { keys: this.#keys, slots: this.#slots.buffer as SharedArrayBuffer, rows: this.#rows };
  }

  get rows(): number {
    return this.#rows;
  }

  /** Bytes held, for the promise of at most 64 bytes a blob. */
  get byteLength(): number {
    return this.#keys.byteLength + this.#slots.byteLength;
  }

  /** Adds a row for the id at `bytes[offset…]` and returns its number. */
  add(bytes: Uint8Array, offset = 0): number {
    if (this.#rows >= this.#capacity) this.#growColumns();
    if (this.#rows + 1 > this.#slots.length * 0.8) this.#growSlots();
    const row = this.#rows++;
    load(bytes, offset);
    const words = this.#words;
    for (let i = 0, at = row * WORDS; i < WORDS; i++, at++) words[at] = scratch[i] as number;
    this.#place(row);
    return row;
  }

  /** The first row of the id, or -1. */
  find(bytes: Uint8Array, offset = 0): number {
    load(bytes, offset);
    return this.#probe(slotOf(scratch[0] as number, this.#slots.length));
  }

  /** Visits every row of the id until `visit` returns true; returns whether one did. */
  some(bytes: Uint8Array, offset: number, visit: (row: number) => boolean): boolean {
    load(bytes, offset);
    const slots = this.#slots;
    let slot = slotOf(scratch[0] as number, slots.length);
    for (;;) {
      const row = (slots[slot] as number) - 1;
      if (row < 0) return false;
      if (this.#equals(row)) {
        if (visit(row)) return true;
        load(bytes, offset); // the visitor may have looked something up itself
      }
      if (++slot === slots.length) slot = 0;
    }
  }

  /** A view of the id of `row`; valid until the table grows. */
  idBytes(row: number): Uint8Array {
    return new Uint8Array(this.#keys, row * 32, 32);
  }

  #probe(start: number): number {
    const slots = this.#slots;
    let slot = start;
    for (;;) {
      const row = (slots[slot] as number) - 1;
      if (row < 0 || this.#equals(row)) return row;
      if (++slot === slots.length) slot = 0;
    }
  }

  /** Whether the id of `row` is the one in `scratch`. */
  #equals(row: number): boolean {
    const words = this.#words;
    const base = row * WORDS;
    for (let i = 0; i < WORDS; i++) if (words[base + i] !== scratch[i]) return false;
    return true;
  }

  #place(row: number): void {
    const slots = this.#slots;
    let slot = slotOf(this.#words[row * WORDS] as number, slots.length);
    while (slots[slot] !== 0) if (++slot === slots.length) slot = 0;
    slots[slot] = row + 1;
  }

  #growColumns(): void {
    if (this.#capacity >= MAX_ROWS) throw new RangeError(`an index holds at most ${MAX_ROWS} blobs`);
    this.#capacity = Math.min(MAX_ROWS, Math.ceil(this.#capacity * 1.125) + 1024);
    this.#keys.grow(this.#capacity * 32);
    this.#words = wholeView(Int32Array, this.#keys);
  }

  #growSlots(): void {
    this.#slots = newSlots(this.#slots.length * SLOT_GROWTH);
    for (let row = 0; row < this.#rows; row++) this.#place(row);
  }
}

function newSlots(rows: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(Math.ceil(rows * 1.25 + 16) * 4));
}

function slotOf(word: number, slots: number): number {
  return Math.floor(((word >>> 0) / 4294967296) * slots);
}

function load(bytes: Uint8Array, offset: number): void {
  for (let i = 0; i < 32; i++) scratchBytes[i] = bytes[offset + i] as number;
}
