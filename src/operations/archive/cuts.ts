/**
 * Where a relation file is cut: as it was in the earlier point, as far as that reaches, then at multiples of the grain. So a file read in
 * full and one merged from changes are made of the same blobs, also after the grain became another.
 */

/** Lengths of the pieces of a file of `size` bytes; `earlier` are those of its pieces in the earlier point. */
export function cutsOf(size: number, grain: number, earlier: Uint32Array = new Uint32Array(0)): Uint32Array {
  const lengths = new Uint32Array(earlier.length + Math.ceil(size / grain) + 1);
  let at = 0;
  let count = 0;
  const cut = (end: number): void => {
    const ends = Math.min(end, size);
    lengths[count++] = ends - at;
    at = ends;
  };
  for (let i = 0; i < earlier.length && at < size; i++) {
    const end = at + (earlier[i] as number);
    // The last piece ended with the file; when that grew, it grows to the next multiple.
    cut(i === earlier.length - 1 ? Math.ceil(end / grain) * grain : end);
  }
  while (at < size) cut((Math.floor(at / grain) + 1) * grain);
  return lengths.subarray(0, count);
}
