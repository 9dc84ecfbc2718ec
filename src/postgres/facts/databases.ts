/** Databases and tablespaces of a cluster. Sizes are null where the role may not ask for them. */
import type { SqlSession } from '../sql.ts';

export interface DatabaseFacts {
  readonly name: string;
  /** Bytes on disk; null where the role may not know. */
  readonly bytes: number | null;
  readonly encoding: string;
  /** `libc`, `icu` or `builtin`. */
  readonly provider: string;
  readonly collate: string;
  readonly ctype: string;
  /** The locale of providers `icu` and `builtin`. */
  readonly locale?: string;
  /** Version of the collation library under which the database's indexes were built. */
  readonly collationVersion?: string;
  readonly template: boolean;
}

export interface TablespaceFacts {
  readonly oid: string;
  readonly name: string;
  /** Where it was on the server; empty for those inside the data directory. */
  readonly location: string;
  readonly bytes: number | null;
}

const PROVIDERS: Readonly<Record<string, string>> = { c: 'libc', i: 'icu', b: 'builtin' };
const MAY_SEE_SIZES = `pg_has_role('pg_read_all_stats', 'USAGE')`;

export async function readDatabases(sql: SqlSession, versionNum: number): Promise<readonly DatabaseFacts[]> {
  const locale = versionNum >= 170_000 ? 'datlocale' : 'daticulocale';
  const rows = await sql.rows(
    `SELECT datname, pg_encoding_to_char(encoding) AS encoding, datlocprovider::text AS provider, datcollate, datctype,
            ${locale} AS locale, datcollversion, datistemplate,
            CASE WHEN has_database_privilege(oid, 'CONNECT') OR ${MAY_SEE_SIZES} THEN pg_database_size(oid)::text END AS bytes
       FROM pg_database WHERE datallowconn ORDER BY datname`,
    [],
    'Reading the list of databases',
  );
  return rows.map((row) => ({
    name: String(row.datname),
    bytes: bytesOf(row.bytes),
    encoding: String(row.encoding),
    provider: PROVIDERS[String(row.provider)] ?? String(row.provider),
    collate: String(row.datcollate),
    ctype: String(row.datctype),
    ...(row.locale ? { locale: String(row.locale) } : {}),
    ...(row.datcollversion ? { collationVersion: String(row.datcollversion) } : {}),
    template: row.datistemplate === true,
  }));
}

export async function readTablespaces(sql: SqlSession): Promise<readonly TablespaceFacts[]> {
  const rows = await sql.rows(
    `SELECT oid::text, spcname, pg_tablespace_location(oid) AS location,
            CASE WHEN has_tablespace_privilege(oid, 'CREATE') OR ${MAY_SEE_SIZES} THEN pg_tablespace_size(oid)::text END AS bytes
       FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global') ORDER BY spcname`,
    [],
    'Reading the list of tablespaces',
  );
  return rows.map((row) => ({
    oid: String(row.oid),
    name: String(row.spcname),
    location: String(row.location),
    bytes: bytesOf(row.bytes),
  }));
}

function bytesOf(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}
