/** One segment in the spool: a file that begins at the segment's first byte and grows. Writes are synchronous, into the page cache. */
import { closeSync, constants, fdatasync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { errno } from '../../base/errno.ts';
import { Failure } from '../../base/failure.ts';
import { syncDirectory } from '../../base/sync-directory.ts';
import type { Lsn } from '../../postgres/lsn.ts';

const syncData = promisify(fdatasync);
const SCRATCH = 128 * 1024;

export class SegmentFile {
  readonly path: string;
  readonly timeline: number;
  /** The segment's first byte. */
  readonly start: Lsn;
  #size: number;
  #fd: number | undefined;
  /** The system works on the descriptor in another thread: closed now, its number could be another file's before that is over. */
  #isSyncing = false;
  #closesAfterSync = false;
  #isDiscarded = false;

  constructor(place: { path: string; timeline: number; start: Lsn; size: number }) {
    this.path = place.path;
    this.timeline = place.timeline;
    this.start = place.start;
    this.#size = place.size;
  }

  /** Bytes held. */
  get size(): number {
    return this.#size;
  }

  get end(): Lsn {
    return this.start + BigInt(this.#size);
  }

  /** Appends as much as the disk takes and returns how many bytes that were. */
  append(bytes: Uint8Array): number {
    let written = 0;
    try {
      while (written < bytes.length) {
        written += writeSync(this.#open(), bytes, written, bytes.length - written, this.#size + written);
      }
    } catch (error) {
      if (!isFull(error)) throw spoolFailure(this.path, error);
    }
    this.#size += written;
    return written;
  }

  /** Whether the bytes from `at` on are `bytes`; both must lie within what is held. */
  holds(at: number, bytes: Buffer): boolean {
    const scratch = Buffer.allocUnsafe(Math.min(SCRATCH, bytes.length));
    for (let done = 0; done < bytes.length; ) {
      const want = Math.min(scratch.length, bytes.length - done);
      const read = readSync(this.#open(), scratch, 0, want, at + done);
      if (read === 0 || bytes.compare(scratch, 0, read, done, done + read) !== 0) return false;
      done += read;
    }
    return true;
  }

  cut(size: number): void {
    ftruncateSync(this.#open(), size);
    this.#size = size;
  }

  /** Makes what was appended durable. A disk that could not is not asked again: nobody knows what it still has. */
  async sync(): Promise<void> {
    if (this.#isDiscarded) return;
    this.#isSyncing = true;
    try {
      await syncData(this.#open());
    } catch (error) {
      throw spoolFailure(this.path, error);
    } finally {
      this.#isSyncing = false;
      if (this.#closesAfterSync) this.close();
    }
  }

  close(): void {
    this.#closesAfterSync = this.#isSyncing;
    if (this.#isSyncing || this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** The file goes: nobody needs it to be durable any more. */
  discard(): void {
    this.#isDiscarded = true;
    this.close();
  }

  #open(): number {
    this.#closesAfterSync = false;
    if (this.#fd !== undefined) return this.#fd;
    try {
      this.#fd = openSync(this.path, constants.O_RDWR | constants.O_CREAT, 0o600);
      return this.#fd;
    } catch (error) {
      if (isFull(error)) throw error;
      throw spoolFailure(this.path, error);
    }
  }
}

/** Makes the entries of a directory of the spool durable. Throws `spool_failed`. */
export async function syncEntries(path: string): Promise<void> {
  try {
    await syncDirectory(path);
  } catch (error) {
    throw spoolFailure(path, error);
  }
}

export function spoolFailure(path: string, cause: unknown): Failure {
  return new Failure('spool_failed', `The spool fails: ${path}: ${(cause as Error).message}.`, {
    hint: 'Look at the disk and the rights of the spool directory (wal.spool). Nothing is lost: the replication slot keeps what is not stored.',
    cause,
  });
}

function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(errno(error) ?? '');
}
