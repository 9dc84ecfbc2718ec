/** Tags of chunks with the chunks' ids: records of 48 bytes, sorted by tag, found by halving. Nothing is built to look something up. */
import { TAG_SIZE } from './tagger.ts';

const ID_SIZE = 32;

/** Bytes of a record: the tag, then the id. */
export const RECORD_SIZE = TAG_SIZE + ID_SIZE;

export class TagTable {
  readonly #records: Buffer;

  /** Reads `records` where they are. */
  constructor(records: Uint8Array) {
    this.#records = Buffer.from(records.buffer, records.byteOffset, records.length);
  }

  /** The id of the chunk with this tag. */
  find(tag: Uint8Array): Uint8Array | undefined {
    let from = 0;
    let to = this.#records.length / RECORD_SIZE;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const at = middle * RECORD_SIZE;
      const order = this.#records.compare(tag, 0, TAG_SIZE, at, at + TAG_SIZE);
      if (order === 0) return this.#records.subarray(at + TAG_SIZE, at + RECORD_SIZE);
      if (order < 0) from = middle + 1;
      else to = middle;
    }
    return undefined;
  }
}

/** The sorted records of `sorted` whose id `keep` wants, together with all of `added`, which are in any order and may repeat themselves. */
export function mergeRecords(sorted: Uint8Array, added: Uint8Array, keep: (id: Uint8Array) => boolean): Buffer {
  const fresh = sortRecords(added);
  const merged = Buffer.allocUnsafe(sorted.length + fresh.length);
  let length = 0;
  const take = (records: Uint8Array, at: number) => {
    if (length > 0 && merged.compare(records, at, at + TAG_SIZE, length - RECORD_SIZE, length - ID_SIZE) === 0) return;
    merged.set(records.subarray(at, at + RECORD_SIZE), length);
    length += RECORD_SIZE;
  };
  let next = 0;
  for (let at = 0; at < sorted.length; at += RECORD_SIZE) {
    while (next < fresh.length && fresh.compare(sorted, at, at + TAG_SIZE, next, next + TAG_SIZE) <= 0) {
      take(fresh, next);
      next += RECORD_SIZE;
    }
    if (keep(sorted.subarray(at + TAG_SIZE, at + RECORD_SIZE))) take(sorted, at);
  }
  for (; next < fresh.length; next += RECORD_SIZE) take(fresh, next);
  return merged.subarray(0, length);
}

function sortRecords(records: Uint8Array): Buffer {
  const bytes = Buffer.from(records.buffer, records.byteOffset, records.length);
  const order = Uint32Array.from({ length: records.length / RECORD_SIZE }, (_, i) => i * RECORD_SIZE);
  order.sort((a, b) => bytes.compare(bytes, b, b + TAG_SIZE, a, a + TAG_SIZE));
  const sorted = Buffer.allocUnsafe(records.length);
  order.forEach((from, i) => {
    bytes.copy(sorted, i * RECORD_SIZE, from, from + RECORD_SIZE);
  });
  return sorted;
}
