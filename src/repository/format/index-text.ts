/**
 * The JSON of an index from tables of blobs: the same bytes as `encodeIndex`, without text or an object for each blob, of which an index of
 * 50,000 would take 40 MiB for a moment.
 */
import type { Id } from '../../base/ids.ts';

/** The blobs of one pack, which are all of one type. */
export interface PackTable {
  readonly id: Id;
  readonly isTree: boolean;
  /** 32 bytes a blob. */
  readonly blobIds: Uint8Array;
  /** Three numbers a blob: offset, sealed length, length before compression (0: stored as it is). */
  readonly blobPlaces: Uint32Array;
}

const ID_SIZE = 32;
const PLACE = 3;
const HEX = Buffer.from('0123456789abcdef');
const BLOB_ID = Buffer.from('{"id":"');
const DATA_AT = Buffer.from('","type":"data","offset":');
const TREE_AT = Buffer.from('","type":"tree","offset":');
const LENGTH = Buffer.from(',"length":');
const UNCOMPRESSED = Buffer.from(',"uncompressed_length":');
/** More than the longest text of a blob, and of a pack without its blobs. */
const BLOB_ROOM = 192;
const PACK_ROOM = 128;

/** The document, in memory of its own. */
export function encodePackTables(packs: readonly PackTable[]): Uint8Array {
  const blobs = packs.reduce((sum, { blobIds }) => sum + blobIds.length / ID_SIZE, 0);
  const writer = new JsonWriter(blobs * BLOB_ROOM + packs.length * PACK_ROOM + PACK_ROOM);
  writer.text('{"packs":[');
  packs.forEach((pack, i) => {
    writer.text(`${i > 0 ? ',' : ''}{"id":"${pack.id}","blobs":[`);
    writer.blobs(pack);
    writer.text(']}');
  });
  writer.text(']}');
  return writer.written();
}

class JsonWriter {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(room: number) {
    this.#bytes = Buffer.allocUnsafeSlow(room);
  }

  text(text: string): void {
    this.#at += this.#bytes.write(text, this.#at, 'latin1');
  }

  blobs({ isTree, blobIds, blobPlaces }: PackTable): void {
    const typed = isTree ? TREE_AT : DATA_AT;
    for (let id = 0, place = 0; id < blobIds.length; id += ID_SIZE, place += PLACE) {
      if (id > 0) this.#bytes[this.#at++] = 0x2c;
      this.#put(BLOB_ID);
      this.#hex(blobIds, id);
      this.#put(typed);
      this.#number(blobPlaces[place] as number);
      this.#put(LENGTH);
      this.#number(blobPlaces[place + 1] as number);
      const uncompressed = blobPlaces[place + 2] as number;
      if (uncompressed !== 0) {
        this.#put(UNCOMPRESSED);
        this.#number(uncompressed);
      }
      this.#bytes[this.#at++] = 0x7d;
    }
  }

  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  #put(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) this.#bytes[this.#at + i] = bytes[i] as number;
    this.#at += bytes.length;
  }

  #hex(id: Uint8Array, offset: number): void {
    for (let i = offset; i < offset + ID_SIZE; i++) {
      const byte = id[i] as number;
      this.#bytes[this.#at++] = HEX[byte >> 4] as number;
      this.#bytes[this.#at++] = HEX[byte & 15] as number;
    }
  }

  #number(value: number): void {
    let end = this.#at + 1;
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) end++;
    this.#at = end;
    let rest = value;
    do {
      this.#bytes[--end] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    } while (rest > 0);
  }
}
