/**
 * What is inside a record: the pages it refers to, and its main data (src/include/access/xlogrecord.h). Headers of all parts come first,
 * then the parts in the same order, the main data last.
 */
import { RECORD_HEADER } from './format.ts';

/** Where a relation's file is: the numbers that stand in the log. */
export interface RelationLocator {
  readonly tablespace: number;
  /** 0 for the catalogs that all databases share. */
  readonly database: number;
  /** The name of the file, which a rewrite changes; not the object id. */
  readonly relation: number;
}

export interface BlockReference extends RelationLocator {
  /** 0 main, 1 free space map, 2 visibility map, 3 init. */
  readonly fork: number;
  readonly block: number;
  /** Undefined when the record holds none. Without the hole in the middle when `hole` is not 0. */
  readonly image: PageImage | undefined;
  readonly data: Uint8Array;
}

export interface PageImage {
  readonly bytes: Uint8Array;
  readonly compression: 'none' | 'pglz' | 'lz4' | 'zstd';
  /** A run of zeros that was left out: where and how long. */
  readonly holeAt: number;
  readonly hole: number;
}

export interface RecordBody {
  readonly blocks: readonly BlockReference[];
  readonly main: Uint8Array;
}

const PART = { maxBlock: 32, topLevel: 252, origin: 253, long: 254, short: 255 } as const;
const BLOCK = { fork: 0x0f, image: 0x10, data: 0x20, sameRelation: 0x80 } as const;
const IMAGE = { hole: 0x01, pglz: 0x04, lz4: 0x08, zstd: 0x10 } as const;
const PAGE = 8192;

interface Heading {
  readonly locator: RelationLocator;
  readonly fork: number;
  readonly block: number;
  readonly dataLength: number;
  readonly imageLength: number;
  readonly imageFlags: number;
  readonly holeAt: number;
  readonly hole: number;
}

/** The parts of a whole record, header included, as views of its bytes. Undefined for what no server writes. */
export function readBody(record: Uint8Array): RecordBody | undefined {
  try {
    return new BodyReader(record).read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Reads beyond the end throw RangeError: the DataView's own, and that of `#take`. */
class BodyReader {
  readonly #record: Uint8Array;
  readonly #view: DataView;
  readonly #headings: Heading[] = [];
  #at = RECORD_HEADER;
  #parts = 0;
  #mainLength = 0;

  constructor(record: Uint8Array) {
    this.#record = record;
    this.#view = new DataView(record.buffer, record.byteOffset, record.length);
  }

  read(): RecordBody | undefined {
    let locator: RelationLocator | undefined;
    while (this.#record.length - this.#at > this.#parts) {
      const id = this.#byte();
      if (id === PART.short || id === PART.long) {
        this.#mainLength = id === PART.short ? this.#byte() : this.#uint32();
        this.#parts += this.#mainLength;
        break;
      }
      if (id === PART.origin) this.#at += 2;
      else if (id === PART.topLevel) this.#at += 4;
      else if (id > PART.maxBlock) return undefined;
      else {
        const heading = this.#heading(locator);
        locator = heading.locator;
        this.#headings.push(heading);
        this.#parts += heading.dataLength + heading.imageLength;
      }
    }
    if (this.#record.length - this.#at !== this.#parts) return undefined;
    const blocks = this.#headings.map((heading) => this.#block(heading));
    return { blocks, main: this.#take(this.#mainLength) };
  }

  #heading(before: RelationLocator | undefined): Heading {
    const flags = this.#byte();
    const dataLength = this.#uint16();
    let [imageLength, imageFlags, holeAt, hole] = [0, 0, 0, 0];
    if (flags & BLOCK.image) {
      imageLength = this.#uint16();
      holeAt = this.#uint16();
      imageFlags = this.#byte();
      if (imageFlags & IMAGE.hole) hole = isCompressed(imageFlags) ? this.#uint16() : PAGE - imageLength;
    }
    const locator = flags & BLOCK.sameRelation ? before : this.#locator();
    if (locator === undefined) throw new RangeError('the first page has no relation');
    const block = this.#uint32();
    return { locator, fork: flags & BLOCK.fork, block, dataLength, imageLength, imageFlags, holeAt, hole };
  }

  #block({ locator, fork, block, dataLength, imageLength, imageFlags, holeAt, hole }: Heading): BlockReference {
    const bytes = this.#take(imageLength);
    const image = imageLength === 0 ? undefined : { bytes, compression: compressionOf(imageFlags), holeAt, hole };
    return { ...locator, fork, block, image, data: this.#take(dataLength) };
  }

  #locator(): RelationLocator {
    return { tablespace: this.#uint32(), database: this.#uint32(), relation: this.#uint32() };
  }

  #take(length: number): Uint8Array {
    if (this.#at + length > this.#record.length) throw new RangeError('a part that is longer than its record');
    this.#at += length;
    return this.#record.subarray(this.#at - length, this.#at);
  }

  #byte(): number {
    return this.#view.getUint8(this.#at++);
  }

  #uint16(): number {
    this.#at += 2;
    return this.#view.getUint16(this.#at - 2, true);
  }

  #uint32(): number {
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, true);
  }
}

function isCompressed(flags: number): boolean {
  return (flags & (IMAGE.pglz | IMAGE.lz4 | IMAGE.zstd)) !== 0;
}

function compressionOf(flags: number): PageImage['compression'] {
  if (flags & IMAGE.pglz) return 'pglz';
  if (flags & IMAGE.lz4) return 'lz4';
  return flags & IMAGE.zstd ? 'zstd' : 'none';
}
