/**
 * At which fixed, page-aligned offsets a relation file is cut. Pages are rewritten in place, so equal offsets hold equal bytes across
 * backups, and a changed page costs one piece of `grain` bytes.
 *
 * With F bytes of which a fraction f of 8 KiB pages changes between backups, stored bytes per backup are about 36·F/g (tree entries)
 * plus F/8192·f·g·c (changed pieces, c the compression ratio): least at g = sqrt(36·8192/(f·c)), whatever F is. For c = 0.3 that is
 * 10 KiB at f = 1 %, 99 KiB at 0.01 %, 1 MiB at one page in a million. Small pieces also compress worse and cost an index entry each.
 *
 * Where only changes are read, what is stored is the cost, and backups are frequent: pieces are fine. Where everything is read each time,
 * reading is the cost, and pieces are larger: 64 KiB for small files (catalogs, busy small tables), 1 MiB for tables of which most is cold.
 * Measured: docs/decisions/0012-incremental.md. Pieces once cut stay as they are (src/operations/archive/cuts.ts), so that nothing is
 * stored again because the rule gives another answer later.
 */
import type { Cutting } from '../entry.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

const SMALL_FILE_BYTES = 32 * MIB;
const SMALL_GRAIN = 64 * KIB;
const LARGE_GRAIN = MIB;

const FINE_GRAIN = 16 * KIB;
/** A cluster is cut into about so many pieces at most: each costs memory in every run. */
const MAX_PIECES = 2 ** 20;
/** In a cluster too large for fine pieces throughout, those that changed are cut finer by this. */
const FINER = 8;

/** How the relation files of a cluster are cut. */
export interface GrainPolicy {
  /** By the bytes of a file. */
  readonly grainOf: (size: number) => number;
  /** For pieces that changed since the earlier backup: what changes is likely to change again. */
  readonly changed: number;
}

/** For a cluster of about `bytes`, of which later only changes will be read or not. */
export function grainPolicy(bytes: number, onlyChanges: boolean): GrainPolicy {
  if (!onlyChanges) {
    return { grainOf: (size) => (size <= SMALL_FILE_BYTES ? SMALL_GRAIN : LARGE_GRAIN), changed: FINE_GRAIN };
  }
  let grain = FINE_GRAIN;
  while (grain < LARGE_GRAIN && bytes / grain > MAX_PIECES) grain *= 2;
  return { grainOf: () => grain, changed: Math.max(grain / FINER, FINE_GRAIN) };
}

/** `base/<db>/<file>`, `global/<file>`, `pg_tblspc/<oid>/<version>/<db>/<file>`, with fork and segment suffixes; temporary relations too. */
const RELATION_FILE =
  /^(?:base\/\d+|global|pg_tblspc\/\d+\/PG_[^/]+\/\d+)\/(?:t\d+_)?\d+(?:_(?:fsm|vm|init))?(?:\.\d+)?$/;

/** How the file at `path` (relative to the data directory) of `size` bytes is cut. */
export function cuttingOf(path: string, size: number, policy: GrainPolicy): Cutting {
  return RELATION_FILE.test(path) ? { by: 'offset', grain: policy.grainOf(size) } : { by: 'content' };
}

/** WAL is written once and never looks like other WAL: large pieces. */
export const WAL_CUTTING: Cutting = { by: 'offset', grain: LARGE_GRAIN };
