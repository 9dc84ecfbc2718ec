/** Objects are handed over in parts so that nobody has to join 16 MiB only to write them. */

export type Parts = Uint8Array | readonly Uint8Array[];

/** Largest object any storage reads whole, in bytes: no pack, index or tree of the format may be larger. */
export const MAX_OBJECT_BYTES = 4 * 1024 ** 3;

/** The parts as a list. */
export function partList(parts: Parts): readonly Uint8Array[] {
  return parts instanceof Uint8Array ? [parts] : parts;
}

/** Bytes in all parts together. */
export function totalBytes(parts: Parts): number {
  if (parts instanceof Uint8Array) return parts.byteLength;
  return parts.reduce((sum, part) => sum + part.byteLength, 0);
}

/** The bytes `[start, end)` of the joined parts, as views of the same memory. */
export function sliceParts(parts: readonly Uint8Array[], start: number, end: number): Uint8Array[] {
  const slices: Uint8Array[] = [];
  let offset = 0;
  for (const part of parts) {
    const from = Math.max(start - offset, 0);
    const to = Math.min(end - offset, part.byteLength);
    if (from < to) slices.push(part.subarray(from, to));
    offset += part.byteLength;
    if (offset >= end) break;
  }
  return slices;
}

/** One run of bytes; copies only when there are several parts. */
export function joinParts(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}
