/** Which relation a file of the data directory belongs to, by its path. */

/** Object ids of the tablespaces that have no directory of their own (src/include/catalog/pg_tablespace.dat). */
const DEFAULT_SPACE = '1663';
const GLOBAL_SPACE = '1664';

export interface RelationFile {
  /** `tablespace/database/relation`, as numbers; the database of shared catalogs is 0. Equal for all segments of a relation. */
  readonly relation: string;
  /** Gigabytes before this file: 0 for the first. */
  readonly segment: number;
}

const MAIN_FORK = /^(?:base\/(\d+)|(global)|pg_tblspc\/(\d+)\/PG_[^/]+\/(\d+))\/(\d+)(?:\.(\d+))?$/;

/** The relation whose main fork the file at `path` is part of; undefined for other forks, temporary relations and everything else. */
export function mainForkOf(path: string): RelationFile | undefined {
  const match = MAIN_FORK.exec(path);
  if (!match) return undefined;
  const [, database, global, space, databaseThere, file, segment] = match;
  const place = global ? `${GLOBAL_SPACE}/0` : space ? `${space}/${databaseThere}` : `${DEFAULT_SPACE}/${database}`;
  return { relation: `${place}/${file}`, segment: Number(segment ?? 0) };
}

/** The same key from what the server's catalogs and functions say. */
export function relationKey(tablespace: string, database: string, file: string): string {
  return `${tablespace}/${database}/${file}`;
}
