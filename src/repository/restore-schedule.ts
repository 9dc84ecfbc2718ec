/**
 * In which order a restore fetches what: pack by pack, in the order in which the files need them first, so that files are written more or
 * less one after the other. Within a pack, blobs that stand close together come in one request.
 */
import type { BlobIndex } from './index/blob-index.ts';
import type { RestoreColumns } from './restore-table.ts';
import { WholePacks } from './restore-whole-packs.ts';
import { BLOB_WORDS } from './workers/unseal-messages.ts';

/** Up to this many bytes that nobody needs are fetched rather than asking twice. */
const MAX_GAP = 1024 * 1024;
const MAX_REQUEST = 8 * 1024 * 1024;
/** Keeps one request's work short when files are tiny. */
const MAX_REFS = 4096;

/** One request to a storage, and what to do with the answer. */
export interface Stretch {
  readonly pack: number;
  readonly offset: number;
  readonly length: number;
  /** It is the whole pack, header and all. */
  readonly isPack?: boolean;
  /** `BLOB_WORDS` words per blob; offsets count from the beginning of the stretch, references point into `refs`. */
  readonly blobs: Uint32Array;
  readonly refs: Uint32Array;
}

/** One blob of a pack and the references to it: `order[from … to]`. */
interface Wanted {
  readonly blob: number;
  readonly offset: number;
  readonly length: number;
  readonly uncompressedLength: number;
  readonly from: number;
  readonly to: number;
}

/** All stretches that hold the references of files that `wanted` accepts and that are not done yet. */
export function* schedule(
  index: BlobIndex,
  columns: RestoreColumns,
  wanted: (row: number) => boolean,
): Generator<Stretch> {
  const { order, packs, starts } = groupByPack(index, columns, wanted);
  const whole = new WholePacks(index, plainBytes(columns, wanted));
  for (let i = 0; i < packs.length; i++) {
    const refs = order.subarray(starts[i]!, starts[i + 1]!);
    sortByOffset(index, columns, refs);
    const blobs = [...wantedBlobs(index, columns, refs)];
    const size = refs.length > MAX_REFS ? undefined : whole.sizeOf(packs[i]!, sealedBytes(blobs));
    if (size === undefined) yield* stretchesOf(packs[i]!, blobs, refs);
    else yield { ...toStretch(packs[i]!, blobs, refs, 0), length: size, isPack: true };
  }
}

function plainBytes({ size, rows }: RestoreColumns, wanted: (row: number) => boolean): number {
  let sum = 0;
  for (let row = 0; row < rows; row++) if (wanted(row)) sum += size[row]!;
  return sum;
}

function sealedBytes(blobs: readonly Wanted[]): number {
  return blobs.reduce((sum, { length }) => sum + length, 0);
}

interface ByPack {
  /** References, pack after pack. */
  readonly order: Uint32Array;
  /** Pack numbers, in the order of their first use. */
  readonly packs: readonly number[];
  /** Where each pack's references begin in `order`, and where the last one's end. */
  readonly starts: Uint32Array;
}

/** A counting sort: two passes over the references, no objects. */
function groupByPack(index: BlobIndex, columns: RestoreColumns, wanted: (row: number) => boolean): ByPack {
  const { refs, refBlob, refFile, refDone } = columns;
  const place = new Int32Array(index.packCount).fill(-1);
  const packs: number[] = [];
  const counts: number[] = [];
  const packOf = new Int32Array(refs).fill(-1);
  let total = 0;
  for (let ref = 0; ref < refs; ref++) {
    if (refDone[ref] === 1 || !wanted(refFile[ref]!)) continue;
    const { pack } = index.at(refBlob[ref]!);
    if (place[pack] === -1) {
      place[pack] = packs.push(pack) - 1;
      counts.push(0);
    }
    packOf[ref] = place[pack]!;
    counts[place[pack]!]!++;
    total++;
  }
  const starts = new Uint32Array(packs.length + 1);
  for (let i = 0; i < packs.length; i++) starts[i + 1] = starts[i]! + counts[i]!;
  const next = starts.slice();
  const order = new Uint32Array(total);
  for (let ref = 0; ref < refs; ref++) {
    const group = packOf[ref]!;
    if (group >= 0) order[next[group]!++] = ref;
  }
  return { order, packs, starts };
}

function sortByOffset(index: BlobIndex, { refBlob }: RestoreColumns, refs: Uint32Array): void {
  const offsets = new Map<number, number>();
  const offsetOf = (ref: number): number => {
    const blob = refBlob[ref]!;
    const known = offsets.get(blob);
    if (known !== undefined) return known;
    const { offset } = index.at(blob);
    offsets.set(blob, offset);
    return offset;
  };
  refs.sort((a, b) => offsetOf(a) - offsetOf(b) || a - b);
}

function* wantedBlobs(index: BlobIndex, { refBlob }: RestoreColumns, refs: Uint32Array): Generator<Wanted> {
  for (let from = 0; from < refs.length; ) {
    const blob = refBlob[refs[from]!]!;
    let to = from + 1;
    while (to < refs.length && refBlob[refs[to]!] === blob) to++;
    const { offset, length, uncompressedLength } = index.at(blob);
    yield { blob, offset, length, uncompressedLength, from, to };
    from = to;
  }
}

function* stretchesOf(pack: number, blobs: Iterable<Wanted>, refs: Uint32Array): Generator<Stretch> {
  let group: Wanted[] = [];
  for (const next of blobs) {
    const first = group[0];
    const last = group.at(-1);
    if (first !== undefined && last !== undefined && !fits(first, last, next)) {
      yield toStretch(pack, group, refs);
      group = [];
    }
    group.push(next);
  }
  if (group.length > 0) yield toStretch(pack, group, refs);
}

function fits(first: Wanted, last: Wanted, next: Wanted): boolean {
  return (
    next.offset - (last.offset + last.length) <= MAX_GAP &&
    next.offset + next.length - first.offset <= MAX_REQUEST &&
    next.to - first.from <= MAX_REFS
  );
}

/** From `offset` on, which is where the first blob stands unless more is fetched. */
function toStretch(
  pack: number,
  group: readonly Wanted[],
  refs: Uint32Array,
  offset: number = group[0]!.offset,
): Stretch {
  const { from } = group[0]!;
  const last = group.at(-1)!;
  const blobs = new Uint32Array(group.length * BLOB_WORDS);
  for (const [i, wanted] of group.entries()) {
    blobs.set(
      [
        wanted.offset - offset,
        wanted.length,
        wanted.uncompressedLength,
        wanted.blob,
        wanted.from - from,
        wanted.to - from,
      ],
      i * BLOB_WORDS,
    );
  }
  return { pack, offset, length: last.offset + last.length - offset, blobs, refs: refs.slice(from, last.to) };
}
