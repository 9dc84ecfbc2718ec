/**
 * One file of an incremental backup: which pages of a relation file changed, and those pages.
 *
 * Little-endian: magic, number of blocks, truncation length in blocks; then the numbers of the blocks, ascending; with any blocks the header is padded
 * to a multiple of the page size; then the pages (src/backend/backup/basebackup_incremental.c, `sendFile` in basebackup.c).
 */
import { Failure } from '../base/failure.ts';

/** Bytes of a page. Servers built with other sizes are refused before it comes to this. */
export const PAGE = 8192;
/** Pages of a whole file of a relation: one gigabyte. */
export const SEGMENT_PAGES = 131_072;

const MAGIC = 0xd3ae1f0d;
const FIXED_HEADER = 12;
const PREFIX = 'INCREMENTAL.';

export interface IncrementalFile {
  /** Numbers of the pages that follow, within this file, ascending. */
  readonly blocks: Uint32Array;
  /** The file has at least this many pages; those below that are not among `blocks` are as they were. */
  readonly truncation: number;
  /** The pages in order. Each is valid until the next is asked for. */
  pages(): AsyncGenerator<Buffer, void, undefined>;
}

/** The path of the file that `path` describes the changes of, or undefined for a whole file. */
export function changedPathOf(path: string): string | undefined {
  const name = path.lastIndexOf('/') + 1;
  return path.startsWith(PREFIX, name) ? path.slice(0, name) + path.slice(name + PREFIX.length) : undefined;
}

/** Reads the header of a file of `size` bytes; throws Failure `postgres_protocol` where it makes no sense. */
export async function readIncrementalFile(chunks: AsyncIterable<Buffer>, size: number): Promise<IncrementalFile> {
  const reader = new ExactReader(chunks);
  const fixed = await reader.take(FIXED_HEADER);
  const count = fixed.readUInt32LE(4);
  if (fixed.readUInt32LE(0) !== MAGIC) throw senseless('begins with something else');
  if (count > SEGMENT_PAGES) throw senseless('names more pages than fit');
  const header = count === 0 ? FIXED_HEADER : Math.ceil((FIXED_HEADER + 4 * count) / PAGE) * PAGE;
  if (size !== header + count * PAGE) throw senseless('has a length that does not fit its header');
  const blocks = decodeBlocks(await reader.take(4 * count), count);
  await reader.take(header - FIXED_HEADER - 4 * count);
  // Unpatched servers state the length of the whole relation for its first file; a file ends with its segment.
  const truncation = Math.min(fixed.readUInt32LE(8), SEGMENT_PAGES);
  const pages = async function* () {
    for (let i = 0; i < count; i++) yield await reader.take(PAGE);
  };
  return { blocks, truncation, pages };
}

/** Pages of the file as it is now: it ends with the last one that is stated or sent. */
export function lengthOf({ blocks, truncation }: Pick<IncrementalFile, 'blocks' | 'truncation'>): number {
  return Math.max(truncation, blocks.length === 0 ? 0 : (blocks.at(-1) as number) + 1);
}

function decodeBlocks(bytes: Buffer, count: number): Uint32Array {
  const blocks = Uint32Array.from({ length: count }, (_, i) => bytes.readUInt32LE(i * 4));
  for (let i = 0; i < count; i++) {
    const block = blocks[i] as number;
    if (block >= SEGMENT_PAGES || (i > 0 && block <= (blocks[i - 1] as number)))
      throw senseless('has pages out of order');
  }
  return blocks;
}

/** Hands out bytes in the amounts that are asked for, in memory of their own, from chunks of any size that are valid until the next one. */
class ExactReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #chunk: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  async take(bytes: number): Promise<Buffer> {
    const taken = Buffer.allocUnsafe(bytes);
    for (let at = 0; at < bytes; ) {
      if (this.#chunk.length === 0) await this.#next();
      const part = this.#chunk.copy(taken, at);
      this.#chunk = this.#chunk.subarray(part);
      at += part;
    }
    return taken;
  }

  async #next(): Promise<void> {
    const { done, value } = await this.#chunks.next();
    if (done) throw senseless('ends early');
    this.#chunk = value;
  }
}

function senseless(what: string): Failure {
  return new Failure('postgres_protocol', `A file of the incremental backup ${what}.`);
}
