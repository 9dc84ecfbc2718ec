/**
 * A million pieces in some 130 MB: the figures of their names in typed arrays, one small object for each that is kept. A piece that
 * several storages list with the same size is one row with the mask of those storages; a copy of another size is a row of its own, because it
 * is read by itself.
 */
import { id as toId } from '../../base/ids.ts';
import type { StoredPiece } from '../archive.ts';
import type { WalPiece } from '../piece.ts';

const MIB = 1024 * 1024;
const HASH = 32;
const FIRST_CAPACITY = 1024;

interface Columns {
  readonly start: BigUint64Array;
  readonly end: BigUint64Array;
  /** 0: none. */
  readonly firstCommit: BigUint64Array;
  readonly lastCommit: BigUint64Array;
  readonly timeline: Uint32Array;
  readonly segmentMiB: Uint16Array;
  readonly mask: Uint32Array;
  readonly size: Uint32Array;
  readonly hash: Buffer;
}

export class PieceTable {
  readonly #systemIdentifier: string;
  #columns = newColumns(FIRST_CAPACITY);
  #rows = 0;

  constructor(systemIdentifier: string) {
    this.#systemIdentifier = systemIdentifier;
  }

  /** `size` is that of the stored object, in bytes; 0 for what is folded. */
  add(piece: WalPiece, mask: number, size: number): void {
    if (this.#rows === this.#columns.start.length) this.#columns = grown(this.#columns);
    const row = this.#rows++;
    const columns = this.#columns;
    columns.start[row] = piece.start;
    columns.end[row] = piece.end;
    columns.firstCommit[row] = piece.firstCommit ?? 0n;
    columns.lastCommit[row] = piece.lastCommit ?? 0n;
    columns.timeline[row] = piece.timeline;
    columns.segmentMiB[row] = piece.segmentSize / MIB;
    columns.mask[row] = mask;
    columns.size[row] = size;
    columns.hash.write(piece.hash, row * HASH, HASH, 'hex');
  }

  /** All pieces by timeline, start and end; the table must not be added to afterwards. */
  finish(): readonly StoredPiece[] {
    const order = new Uint32Array(this.#rows).map((_, row) => row).sort((a, b) => this.#compare(a, b));
    const { mask } = this.#columns;
    const pieces: StoredPiece[] = [];
    let last = -1;
    for (const row of order) {
      if (last >= 0 && this.#compare(last, row) === 0) mask[last] = mask[last]! | mask[row]!;
      else {
        pieces.push(new Row(this, row));
        last = row;
      }
    }
    return pieces;
  }

  pieceAt(row: number): WalPiece {
    const { start, end, timeline, segmentMiB, firstCommit, lastCommit, hash } = this.#columns;
    const hasCommits = lastCommit[row] !== 0n;
    return {
      systemIdentifier: this.#systemIdentifier,
      timeline: timeline[row]!,
      start: start[row]!,
      end: end[row]!,
      segmentSize: segmentMiB[row]! * MIB,
      firstCommit: hasCommits ? firstCommit[row]! : undefined,
      lastCommit: hasCommits ? lastCommit[row]! : undefined,
      hash: toId(hash.toString('hex', row * HASH, row * HASH + HASH)),
    };
  }

  maskAt(row: number): number {
    return this.#columns.mask[row]!;
  }

  sizeAt(row: number): number {
    return this.#columns.size[row]!;
  }

  #compare(a: number, b: number): number {
    const { timeline, start, end, size, firstCommit, lastCommit, segmentMiB, hash } = this.#columns;
    return (
      timeline[a]! - timeline[b]! ||
      order(start[a]!, start[b]!) ||
      order(end[a]!, end[b]!) ||
      Buffer.compare(hash.subarray(a * HASH, a * HASH + HASH), hash.subarray(b * HASH, b * HASH + HASH)) ||
      size[a]! - size[b]! ||
      segmentMiB[a]! - segmentMiB[b]! ||
      order(firstCommit[a]!, firstCommit[b]!) ||
      order(lastCommit[a]!, lastCommit[b]!)
    );
  }
}

/** A view of one row; what it tells is made when it is asked. */
class Row implements StoredPiece {
  readonly #table: PieceTable;
  readonly #row: number;

  constructor(table: PieceTable, row: number) {
    this.#table = table;
    this.#row = row;
  }

  get piece(): WalPiece {
    return this.#table.pieceAt(this.#row);
  }

  get mask(): number {
    return this.#table.maskAt(this.#row);
  }

  get size(): number {
    return this.#table.sizeAt(this.#row);
  }

  get folded(): boolean {
    return this.size === 0;
  }
}

function newColumns(capacity: number): Columns {
  return {
    start: new BigUint64Array(capacity),
    end: new BigUint64Array(capacity),
    firstCommit: new BigUint64Array(capacity),
    lastCommit: new BigUint64Array(capacity),
    timeline: new Uint32Array(capacity),
    segmentMiB: new Uint16Array(capacity),
    mask: new Uint32Array(capacity),
    size: new Uint32Array(capacity),
    hash: Buffer.alloc(capacity * HASH),
  };
}

function grown(old: Columns): Columns {
  const larger = newColumns(old.start.length * 2);
  for (const name of Object.keys(old) as (keyof Columns)[]) (larger[name] as Uint8Array).set(old[name] as Uint8Array);
  return larger;
}

function order(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
