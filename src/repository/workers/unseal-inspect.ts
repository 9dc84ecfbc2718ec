/**
 * What an earlier, unfinished restore left of a file: blobs that already stand in their place are not fetched again. Nothing is believed
 * without hashing it; a file that is no use is removed and begun anew. Synchronous: it runs on a worker thread.
 */
import { hash } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats, unlinkSync } from 'node:fs';
import { errno } from '../../base/errno.ts';
import { targetFailure } from '../restore-errors.ts';
import { type RestoreColumns, STATE } from '../restore-table.ts';
import type { UnsealFiles } from './unseal-files.ts';

export class Inspector {
  readonly #columns: RestoreColumns;
  readonly #files: UnsealFiles;
  readonly #blobIds: SharedArrayBuffer;
  #buffer = Buffer.alloc(1024 * 1024);

  constructor(columns: RestoreColumns, files: UnsealFiles, blobIds: SharedArrayBuffer) {
    this.#columns = columns;
    this.#files = files;
    this.#blobIds = blobIds;
  }

  /** Marks the references that are right, finishes the file if all are. Returns the bytes found in place. */
  inspect(row: number): number {
    const path = this.#files.paths.path(row);
    try {
      const stats = lookAt(path);
      if (stats === undefined) return 0;
      if (!stats.isFile()) return this.#startAnew(path);
      return this.#inspectFile(row, path, stats);
    } catch (error) {
      throw targetFailure(error, path);
    }
  }

  #inspectFile(row: number, path: Buffer, stats: Stats): number {
    const { count, remaining, state, size } = this.#columns;
    const found = stats.size > 0 ? this.#checkContent(row, path) : 0;
    if (remaining[row] === 0 && stats.size === size[row]) {
      this.#files.finish(row);
      return found;
    }
    // content with a second name, or of one blob only, is not worth keeping: what is written there must show nowhere else
    if (stats.nlink > 1 || count[row]! <= 1) {
      this.#forget(row);
      return this.#startAnew(path);
    }
    state[row] = STATE.existing;
    if (remaining[row] === 0) this.#files.finish(row);
    return found;
  }

  #checkContent(row: number, path: Buffer): number {
    const { start, count, refDone, remaining } = this.#columns;
    const first = start[row]!;
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    let found = 0;
    try {
      const { size } = fstatSync(fd);
      for (let ref = first; ref < first + count[row]!; ref++) {
        const length = this.#lengthOf(ref, row);
        if (!this.#isRight(fd, ref, length, size)) continue;
        refDone[ref] = 1;
        remaining[row] = remaining[row]! - 1;
        found += length;
      }
    } finally {
      closeSync(fd);
    }
    return found;
  }

  #lengthOf(ref: number, row: number): number {
    const { start, count, refOffset, size } = this.#columns;
    const last = ref === start[row]! + count[row]! - 1;
    return (last ? size[row]! : refOffset[ref + 1]!) - refOffset[ref]!;
  }

  #isRight(fd: number, ref: number, length: number, fileSize: number): boolean {
    const offset = this.#columns.refOffset[ref]!;
    if (offset + length > fileSize) return false;
    if (length > this.#buffer.length) this.#buffer = Buffer.alloc(length);
    const bytes = this.#buffer.subarray(0, length);
    for (let done = 0; done < length; ) {
      const got = readSync(fd, bytes, done, length - done, offset + done);
      if (got === 0) return false;
      done += got;
    }
    const id = new Uint8Array(this.#blobIds, this.#columns.refBlob[ref]! * 32, 32);
    return hash('sha256', bytes, 'buffer').equals(id);
  }

  #forget(row: number): void {
    const { start, count, refDone, remaining } = this.#columns;
    refDone.fill(0, start[row]!, start[row]! + count[row]!);
    remaining[row] = count[row]!;
  }

  #startAnew(path: Buffer): number {
    unlinkSync(path);
    return 0;
  }
}

function lookAt(path: Buffer): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (errno(error) === 'ENOENT' || errno(error) === 'ENAMETOOLONG') return undefined;
    throw error;
  }
}
