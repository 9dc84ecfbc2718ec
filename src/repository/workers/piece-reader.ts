/** Reads stretches of files into the chunker's window, cuts them by content and stores the chunks. Synchronous: it runs on a worker. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { errno } from '../../base/errno.ts';
import type { Chunker } from '../chunker/chunker.ts';
import type { BlobSealer } from './blob-sealer.ts';
import type { FilePiece, FileStamp, PieceResult } from './messages.ts';
import { ZeroRun } from './zero-run.ts';

const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export class PieceReader {
  readonly #chunker: Chunker;
  readonly #sealer: BlobSealer;
  readonly #zeros = new ZeroRun();

  constructor(chunker: Chunker, sealer: BlobSealer) {
    this.#chunker = chunker;
    this.#sealer = sealer;
  }

  /** Never throws for what is wrong with the file: that is a result. */
  read(piece: FilePiece): PieceResult {
    let fd: number;
    try {
      fd = openSync(Buffer.from(piece.path.buffer, piece.path.byteOffset, piece.path.length), OPEN_FLAGS);
    } catch (error) {
      return unreadable(error);
    }
    try {
      return this.#readOpen(fd, piece);
    } catch (error) {
      return unreadable(error);
    } finally {
      closeSync(fd);
    }
  }

  /** Cuts and stores bytes that are in memory already. Returns the concatenated ids. */
  cutBytes(bytes: Uint8Array): Uint8Array {
    let at = 0;
    return this.#cutAll((window) => {
      const take = Math.min(window.length, bytes.length - at);
      window.set(bytes.subarray(at, at + take));
      at += take;
      return take;
    }).content;
  }

  #readOpen(fd: number, piece: FilePiece): PieceResult {
    const before = stamp(fd);
    if (before === undefined) return { ok: false, errno: 'ENOTFILE', message: 'is no longer a regular file' };
    let at = piece.offset;
    const end = piece.offset + piece.length;
    const { content, bytes } = this.#cutAll((window) => {
      const want = Math.min(window.length, end - at);
      const got = want > 0 ? readSync(fd, window, 0, want, at) : 0;
      at += got;
      return got;
    });
    return { ok: true, content, bytes, before, after: stamp(fd) ?? before };
  }

  /** Fills the window with `fill` (0 = the end), cuts, stores, and moves what is left to the front. */
  #cutAll(fill: (window: Uint8Array) => number): { content: Uint8Array; bytes: number } {
    const window = this.#chunker.buffer;
    const ids = new IdList();
    let start = 0;
    let end = 0;
    let total = 0;
    let last = false;
    for (;;) {
      if (!last) {
        const got = fill(window.subarray(end));
        total += got;
        end += got;
        last = got === 0;
      }
      start = this.#takeChunks(start, end, last, ids);
      if (last) return { content: ids.take(), bytes: total };
      window.copyWithin(0, start, end);
      end -= start;
      start = 0;
    }
  }

  /** Cuts and stores what the window has from `start` to `end`, and adds the ids. Returns where the part begins that is not decided yet. */
  #takeChunks(start: number, end: number, last: boolean, ids: IdList): number {
    const window = this.#chunker.buffer;
    const chunks: Uint8Array[] = [];
    let at = start;
    while (at < end) {
      const zeros = this.#zeros.repeats(window, at, end);
      const cut = zeros || this.#chunker.cut(at, end, last);
      if (cut === 0) break;
      if (zeros > 0) {
        this.#store(chunks.splice(0), ids);
        ids.add(this.#zeros.id);
      } else chunks.push(window.subarray(at, cut));
      at = cut;
    }
    const decidedByContent = last ? chunks.slice(0, -1) : chunks;
    const first = ids.length;
    this.#store(chunks, ids);
    decidedByContent.forEach((chunk, i) => {
      this.#zeros.learn(chunk, ids.bytes.subarray(first + i * 32));
    });
    return at;
  }

  #store(chunks: readonly Uint8Array[], ids: IdList): void {
    ids.reserve(chunks.length);
    this.#sealer.store(false, chunks, ids.bytes, ids.length);
    ids.length += chunks.length * 32;
  }
}

class IdList {
  bytes = new Uint8Array(32 * 4);
  length = 0;

  reserve(ids: number): void {
    const needed = this.length + ids * 32;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes);
    this.bytes = grown;
  }

  add(id: Uint8Array): void {
    this.reserve(1);
    this.bytes.set(id, this.length);
    this.length += 32;
  }

  take(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

function stamp(fd: number): FileStamp | undefined {
  const stat = fstatSync(fd, { bigint: true });
  if (!stat.isFile()) return undefined;
  return { size: Number(stat.size), mtimeNs: stat.mtimeNs, ctimeNs: stat.ctimeNs };
}

/** What the system says against reading a file is told; any other error is thrown on. */
function unreadable(error: unknown): PieceResult {
  const code = errno(error);
  if (code === undefined) throw error;
  return { ok: false, errno: code, message: (error as Error).message };
}
