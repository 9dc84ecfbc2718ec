/**
 * At which fixed, page-aligned offsets a relation file is cut. Pages are rewritten in place, so equal offsets hold equal bytes across
 * backups, and a changed page costs one piece of `grain` bytes.
 *
 * With F bytes of which a fraction f of 8 KiB pages changes between backups, stored bytes per backup are about 36·F/g (tree entries)
 * plus F/8192·f·g·c (changed pieces, c the compression ratio): least at g = sqrt(36·8192/(f·c)), whatever F is. For c = 0.3 that is
 * 10 KiB at f = 1 %, 99 KiB at 0.01 %, 1 MiB at one page in a million. Small pieces also compress worse and cost an index entry each.
 *
 * The class depends on the file's size alone, never on its age, so that a file is cut alike in every backup. Growth across the one
 * border stores at most SMALL_FILE_BYTES again. Catalogs and busy small tables fall below it; above it, tables of which most is cold.
 */
import type { Cutting } from '../entry.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

const SMALL_FILE_BYTES = 32 * MIB;
const SMALL_GRAIN = 64 * KIB;
const LARGE_GRAIN = MIB;

/** `base/<db>/<file>`, `global/<file>`, `pg_tblspc/<oid>/<version>/<db>/<file>`, with fork and segment suffixes; temporary relations too. */
const RELATION_FILE =
  /^(?:base\/\d+|global|pg_tblspc\/\d+\/PG_[^/]+\/\d+)\/(?:t\d+_)?\d+(?:_(?:fsm|vm|init))?(?:\.\d+)?$/;

/** How the file at `path` (relative to the data directory) of `size` bytes is cut. */
export function cuttingOf(path: string, size: number): Cutting {
  if (RELATION_FILE.test(path)) return { by: 'offset', grain: size <= SMALL_FILE_BYTES ? SMALL_GRAIN : LARGE_GRAIN };
  return { by: 'content' };
}

/** WAL is written once and never looks like other WAL: large pieces. */
export const WAL_CUTTING: Cutting = { by: 'offset', grain: LARGE_GRAIN };
