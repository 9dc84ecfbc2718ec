/** How much data the benchmarks use. */
import type { DirectoryParts } from '../data/directory.ts';

const MIB = 1024 * 1024;

/** The directory of most benchmarks: 1 GiB. */
export function directoryParts(quick: boolean): DirectoryParts {
  return quick
    ? { database: 48 * MIB, photos: 40 * MIB, text: 8 * MIB }
    : { database: 480 * MIB, photos: 416 * MIB, text: 128 * MIB };
}
