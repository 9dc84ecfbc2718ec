/** The chunker's rule as `chunker.ts` states it, one position at a time: slow and readable. Tests hold the fast form equal to it. */
import { gearTable, thresholds } from './gear-table.ts';

const HASHED_BYTES = 64;

export interface ReferenceSizes {
  readonly minSize: number;
  readonly normalSize: number;
  readonly maxSize: number;
  readonly seed?: Uint8Array;
}

/** Lengths of the chunks of `bytes`. */
export function gearReference(bytes: Uint8Array, { minSize, normalSize, maxSize, seed }: ReferenceSizes): number[] {
  const table = gearTable(seed);
  const { strict, loose } = thresholds(normalSize);
  const lengths: number[] = [];
  for (let start = 0; start < bytes.length; ) {
    const limit = Math.min(bytes.length, start + maxSize);
    let cut = limit;
    for (let at = start + minSize; at < limit; at++) {
      if (hashBefore(bytes, at, table) < (at < start + normalSize ? strict : loose)) {
        cut = at;
        break;
      }
    }
    lengths.push(cut - start);
    start = cut;
  }
  return lengths;
}

/** The gear hash of the 64 bytes before `position`: each byte's number, doubled once for every byte after it. */
function hashBefore(bytes: Uint8Array, position: number, table: BigUint64Array): bigint {
  let hash = 0n;
  for (let i = position - HASHED_BYTES; i < position; i++) hash = BigInt.asUintN(64, hash * 2n + table[bytes[i]!]!);
  return hash;
}
