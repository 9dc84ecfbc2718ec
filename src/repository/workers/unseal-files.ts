/**
 * The files of a restore, as one worker writes them. Synchronous: it runs on a worker thread.
 *
 * A file of one blob is created, written and closed in one go. Others are opened by whichever worker comes across a blob of theirs, get
 * their full length at once, large ones their room on the disk too, and are finished by the worker that writes the last of them. Nothing is
 * written through a symbolic link: every directory was made or checked by the restore, files are opened with O_NOFOLLOW, and links are made
 * when all files stand.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  ftruncateSync,
  futimesSync,
  openSync,
  writeSync,
} from 'node:fs';
import { isOfOneFile, isRefusal, targetFailure } from '../restore-errors.ts';
import { modeFor, type Ownership, ownerOf, toSeconds } from '../restore-metadata.ts';
import { RestorePaths } from '../restore-paths.ts';
import { type RestoreColumns, STATE } from '../restore-table.ts';
import { RoomReserver } from './reserve-room.ts';
import type { RowProblem } from './unseal-messages.ts';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
/** Files kept open between blobs. */
const MAX_OPEN = 64;
const ZEROS = Buffer.alloc(1024 * 1024);

export interface FilesOptions {
  readonly columns: RestoreColumns;
  readonly base: Uint8Array;
  readonly ownership: Ownership;
}

export class UnsealFiles {
  readonly paths: RestorePaths;
  readonly #columns: RestoreColumns;
  readonly #ownership: Ownership;
  readonly #room = new RoomReserver();
  readonly #open = new Map<number, number>();
  /** Taken and emptied by the worker after each request. */
  problems: RowProblem[] = [];
  filesDone = 0;

  constructor({ columns, base, ownership }: FilesOptions) {
    this.paths = new RestorePaths(columns, base);
    this.#columns = columns;
    this.#ownership = ownership;
  }

  /** Writes a verified blob to each of its places. Returns the bytes written. */
  place(plain: Uint8Array, refs: Uint32Array): number {
    const { refFile, refOffset, remaining } = this.#columns;
    const isZero = refs.length > 0 && allZero(plain);
    let written = 0;
    for (const ref of refs) {
      const row = refFile[ref]!;
      if (this.#columns.state[row] === STATE.failed) continue;
      this.#guarded(row, () => {
        this.#write(row, plain, refOffset[ref]!, isZero);
        written += plain.length;
        this.#columns.refDone[ref] = 1;
        if (Atomics.sub(remaining, row, 1) === 1) this.finish(row);
      });
    }
    return written;
  }

  createEmpty(row: number): void {
    this.#guarded(row, () => {
      this.#open.set(row, this.#create(row));
      this.finish(row);
    });
  }

  /** Owner, mode, time; then the file is closed. Other workers may still have it open, but write no more to it. */
  finish(row: number): void {
    const fd = this.#fd(row);
    this.#applyMeta(row, fd);
    this.#open.delete(row);
    closeSync(fd);
    this.#columns.state[row] = STATE.done;
    this.filesDone++;
  }

  closeAll(): void {
    for (const fd of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }

  /** What cannot be done for this file alone is a problem of its row; everything else ends the restore. */
  #guarded(row: number, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!isOfOneFile(error)) throw targetFailure(error, this.paths.path(row));
      this.#columns.state[row] = STATE.failed;
      this.problems.push({ row, message: (error as Error).message, fatal: true });
    }
  }

  #write(row: number, plain: Uint8Array, offset: number, isZero: boolean): void {
    const { count, state } = this.#columns;
    if (count[row] === 1 && state[row] === STATE.fresh) this.#open.set(row, this.#create(row));
    const fd = this.#fd(row);
    // fresh files read as zeros where nothing was written: zeros stay holes
    if (!isZero || state[row] !== STATE.fresh) writeAll(fd, plain, offset);
    else if (count[row] === 1) ftruncateSync(fd, plain.length);
  }

  #create(row: number): number {
    const fd = openSync(this.paths.path(row), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    const size = this.#columns.size[row]!;
    if (size > 0 && this.#columns.count[row] !== 1) ftruncateSync(fd, size);
    return fd;
  }

  #fd(row: number): number {
    const known = this.#open.get(row);
    if (known !== undefined) {
      this.#open.delete(row); // moved to the end: least recently used first
      this.#open.set(row, known);
      return known;
    }
    if (this.#open.size >= MAX_OPEN) this.#closeOldest();
    const fd = openSync(this.paths.path(row), O_WRONLY | O_CREAT | O_NOFOLLOW, 0o600);
    this.#open.set(row, fd);
    this.#setSize(row, fd);
    return fd;
  }

  #setSize(row: number, fd: number): void {
    const { reserved, size } = this.#columns;
    const isNew = reserved[row] === 1 && fstatSync(fd).size === 0;
    if (isNew) this.#room.reserve(fd, size[row]!);
    ftruncateSync(fd, size[row]!);
  }

  #closeOldest(): void {
    const oldest = this.#open.entries().next().value;
    if (oldest === undefined) return;
    this.#open.delete(oldest[0]);
    closeSync(oldest[1]);
  }

  #applyMeta(row: number, fd: number): void {
    const { mode, uid, gid, mtimeNs } = this.#columns;
    const owner = ownerOf(this.#ownership, uid[row]!, gid[row]!);
    if (owner !== undefined) this.#tolerant(row, 'owner', () => fchownSync(fd, owner.uid, owner.gid));
    this.#tolerant(row, 'mode', () => fchmodSync(fd, modeFor(this.#ownership, mode[row]!)));
    const seconds = toSeconds(mtimeNs[row]!);
    this.#tolerant(row, 'time', () => futimesSync(fd, seconds, seconds));
  }

  #tolerant(row: number, what: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const message = `its ${what} could not be set: ${(error as Error).message}`;
      this.problems.push({ row, message, fatal: false });
    }
  }
}

function writeAll(fd: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(fd, bytes, done, bytes.length - done, offset + done);
  }
}

function allZero(bytes: Uint8Array): boolean {
  if (bytes.length === 0 || bytes[0] !== 0 || bytes[bytes.length - 1] !== 0) return false;
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const piece = bytes.subarray(at, at + ZEROS.length);
    if (ZEROS.compare(piece, 0, piece.length, 0, piece.length) !== 0) return false;
  }
  return true;
}
