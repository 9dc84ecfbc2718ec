/** Reads stretches of files into the chunker's window, cuts them by content and stores the chunks. Synchronous: it runs on a worker. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { errno } from '../../base/errno.ts';
import type { Chunker } from '../chunker/chunker.ts';
import type { BlobSealer } from './blob-sealer.ts';
import type { FilePiece, FileStamp, PieceResult } from './messages.ts';
import { ZeroRun } from './zero-run.ts';

const ID_SIZE = 32;
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** A chunk in the window that is cut and not stored yet. */
interface HeldChunk {
  readonly chunk: Uint8Array;
  /** Where its id goes: these ids, from this offset on. */
  readonly ids: IdList;
  readonly offset: number;
  /** Its end was decided by its content, not by the end of the file. */
  readonly byContent: boolean;
}

type Unreadable = Extract<PieceResult, { ok: false }>;

/** What a piece comes to; its ids are complete once its chunks are stored. */
type Reading =
  | { readonly ids: IdList; readonly bytes: number; readonly before: FileStamp; readonly after: FileStamp }
  | Unreadable;

export class PieceReader {
  readonly #chunker: Chunker;
  readonly #sealer: BlobSealer;
  readonly #zeros = new ZeroRun();
  #held: HeldChunk[] = [];
  /** Where the held chunks end in the window. */
  #heldEnd = 0;

  constructor(chunker: Chunker, sealer: BlobSealer) {
    this.#chunker = chunker;
    this.#sealer = sealer;
  }

  /**
   * Chunks of several files are stored together, as far as the window holds them: hashing many at once is faster than one after the other.
   * Never throws for what is wrong with a file: that is a result.
   */
  read(pieces: readonly FilePiece[]): PieceResult[] {
    const readings = pieces.map((piece) => this.#read(piece));
    this.#storeHeld();
    return readings.map((reading) => {
      if ('ok' in reading) return reading;
      const { ids, bytes, before, after } = reading;
      return { ok: true, content: ids.take(), bytes, before, after };
    });
  }

  /** Cuts and stores bytes that are in memory already. Returns the concatenated ids. */
  cutBytes(bytes: Uint8Array): Uint8Array {
    let at = 0;
    const { ids } = this.#cutAll((window) => {
      const take = Math.min(window.length, bytes.length - at);
      window.set(bytes.subarray(at, at + take));
      at += take;
      return take;
    });
    this.#storeHeld();
    return ids.take();
  }

  #read(piece: FilePiece): Reading {
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

  #readOpen(fd: number, piece: FilePiece): Reading {
    const before = stamp(fd);
    if (before === undefined) return { ok: false, errno: 'ENOTFILE', message: 'is no longer a regular file' };
    let at = piece.offset;
    const end = piece.offset + piece.length;
    const { ids, bytes } = this.#cutAll((window) => {
      const want = Math.min(window.length, end - at);
      const got = want > 0 ? readSync(fd, window, 0, want, at) : 0;
      at += got;
      return got;
    });
    return { ids, bytes, before, after: stamp(fd) ?? before };
  }

  /**
   * Fills the window behind the held chunks with `fill` (0 = the end) and cuts. When it is full, what is held is stored, and what is left moves
   * to the front.
   */
  #cutAll(fill: (window: Uint8Array) => number): { ids: IdList; bytes: number } {
    const window = this.#chunker.buffer;
    const ids = new IdList();
    let start = this.#heldEnd;
    let end = start;
    let total = 0;
    for (;;) {
      if (end === window.length) {
        this.#storeHeld();
        window.copyWithin(0, start, end);
        end -= start;
        start = 0;
      }
      const got = fill(window.subarray(end));
      total += got;
      end += got;
      const last = got === 0;
      start = this.#takeChunks(start, end, last, ids);
      if (last) return { ids, bytes: total };
    }
  }

  /** Cuts what the window has from `start` to `end`, and holds the chunks. Returns where the part begins that is not decided yet. */
  #takeChunks(start: number, end: number, last: boolean, ids: IdList): number {
    const window = this.#chunker.buffer;
    let at = start;
    while (at < end) {
      const zeros = this.#zeros.repeats(window, at, end);
      const cut = zeros || this.#chunker.cut(at, end, last);
      if (cut === 0) break;
      const offset = ids.add(zeros > 0 ? this.#zeros.id : undefined);
      if (zeros === 0) {
        this.#held.push({ chunk: window.subarray(at, cut), ids, offset, byContent: !last || cut < end });
        this.#heldEnd = cut;
      }
      at = cut;
    }
    return at;
  }

  #storeHeld(): void {
    const held = this.#held;
    this.#held = [];
    this.#heldEnd = 0;
    const sums = new Uint8Array(held.length * ID_SIZE);
    this.#sealer.store(
      false,
      held.map(({ chunk }) => chunk),
      sums,
    );
    held.forEach(({ chunk, ids, offset, byContent }, i) => {
      const id = sums.subarray(i * ID_SIZE, (i + 1) * ID_SIZE);
      ids.bytes.set(id, offset);
      if (byContent) this.#zeros.learn(chunk, id);
    });
  }
}

class IdList {
  bytes = new Uint8Array(ID_SIZE * 4);
  #length = 0;

  /** Adds an id, or room for one that is not known yet; returns its offset. */
  add(id: Uint8Array | undefined): number {
    if (this.#length === this.bytes.length) {
      const grown = new Uint8Array(this.bytes.length * 2);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    const offset = this.#length;
    if (id) this.bytes.set(id, offset);
    this.#length += ID_SIZE;
    return offset;
  }

  take(): Uint8Array {
    return this.bytes.slice(0, this.#length);
  }
}

function stamp(fd: number): FileStamp | undefined {
  const stat = fstatSync(fd, { bigint: true });
  if (!stat.isFile()) return undefined;
  return { size: Number(stat.size), mtimeNs: stat.mtimeNs, ctimeNs: stat.ctimeNs };
}

/** What the system says against reading a file is told; any other error is thrown on. */
function unreadable(error: unknown): Unreadable {
  const code = errno(error);
  if (code === undefined) throw error;
  return { ok: false, errno: code, message: (error as Error).message };
}
