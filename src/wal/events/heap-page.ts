/** Rows of a table as they stand on a page and in the records that change it (src/include/storage/bufpage.h, access/heapam_xlog.h). */
import type { BlockReference } from '../../postgres/wal-records.ts';

const PAGE = 8192;
const PAGE_HEADER = 24;
const LOWER_AT = 12;
const NORMAL_POINTER = 1;
const TUPLE_HEADER = 23;
const HEADER_LENGTH_AT = 22;
/** xl_heap_header: two words, and the length of the tuple's header. */
const RECORD_HEADER = 5;

/** xl_heap_update. */
export const UPDATE = { length: 14, oldItem: 4, flags: 7, newItem: 12 } as const;
const UPDATE_FLAG = { prefix: 0x20, suffix: 0x40 } as const;

/** The image of a page with its hole filled; undefined where there is none that can be read. */
export function wholePage({ image }: BlockReference): Uint8Array | undefined {
  if (image === undefined || image.compression !== 'none') return undefined;
  const { bytes, holeAt, hole } = image;
  if (bytes.length + hole !== PAGE || holeAt > bytes.length) return undefined;
  const page = new Uint8Array(PAGE);
  page.set(bytes.subarray(0, holeAt));
  page.set(bytes.subarray(holeAt), holeAt + hole);
  return page;
}

/** The data of every row, dead ones included, with its number on the page. */
export function* rowsOf(page: Uint8Array): Generator<{ readonly item: number; readonly row: Uint8Array }> {
  const view = new DataView(page.buffer, page.byteOffset, PAGE);
  const lower = Math.min(view.getUint16(LOWER_AT, true), PAGE);
  for (let at = PAGE_HEADER; at + 4 <= lower; at += 4) {
    const pointer = view.getUint32(at, true);
    const [offset, flags, length] = [pointer & 0x7fff, (pointer >>> 15) & 3, pointer >>> 17];
    if (flags !== NORMAL_POINTER || length <= TUPLE_HEADER || offset + length > PAGE) continue;
    const header = page[offset + HEADER_LENGTH_AT]!;
    if (header < length)
      yield { item: (at - PAGE_HEADER) / 4 + 1, row: page.subarray(offset + header, offset + length) };
  }
}

/** The data of the row that an insert carries from `at` on; undefined when it is only in the image of the page. */
export function rowInRecord(data: Uint8Array, at: number): Uint8Array | undefined {
  if (data.length <= at + RECORD_HEADER) return undefined;
  const skipped = data[at + RECORD_HEADER - 1]! - TUPLE_HEADER;
  return skipped < 0 ? undefined : data.subarray(at + RECORD_HEADER + skipped);
}

/** The row after an update: beginning and end may have to come from the row before. Undefined when that is not known. */
export function updatedRow(data: Uint8Array, flags: number, before: Uint8Array | undefined): Uint8Array | undefined {
  let at = 0;
  const length = (flag: number): number => {
    if ((flags & flag) === 0) return 0;
    at += 2;
    return (data[at - 2] ?? 0) | ((data[at - 1] ?? 0) << 8);
  };
  const [prefix, suffix] = [length(UPDATE_FLAG.prefix), length(UPDATE_FLAG.suffix)];
  const middle = rowInRecord(data, at);
  if (prefix + suffix === 0 || middle === undefined) return middle;
  if (before === undefined || prefix > before.length || suffix > before.length) return undefined;
  return Buffer.concat([before.subarray(0, prefix), middle, before.subarray(before.length - suffix)]);
}
