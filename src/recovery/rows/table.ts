/** One table in detail: its columns, the key by which its rows are told apart, what else must be unique. */

import { quoted } from '../../postgres/quoting.ts';
import type { TableEntry } from './catalog.ts';
import type { RowsSession, SqlRow } from './session.ts';

export interface Column {
  readonly name: string;
  /** As the server spells it, with length and precision: `character varying(20)`. */
  readonly type: string;
  /** Oid of the type; comparable within one database only. */
  readonly typeOid: string;
  readonly notNull: boolean;
  readonly hasDefault: boolean;
  /** Computed by the server: cannot be written. */
  readonly generated: boolean;
  /** `always` and `by default`; null for a column that is none. */
  readonly identity: 'always' | 'default' | null;
}

/** Columns whose values together belong to one row only. */
export interface Key {
  readonly name: string;
  readonly columns: readonly string[];
  /** The equality of each column, ready for SQL. */
  readonly operators: readonly string[];
}

export interface TableDetails {
  readonly table: TableEntry;
  readonly columns: readonly Column[];
  /** The primary key, else the first unique constraint or index without NULLs; undefined when there is neither. */
  readonly key: Key | undefined;
  /** Further unique constraints and indexes on plain columns. */
  readonly unique: readonly Key[];
}

export async function describeTable(session: RowsSession, table: TableEntry): Promise<TableDetails> {
  const columns = await readColumns(session, table);
  const indexes = await readUnique(session, table);
  const usable = indexes.filter(({ whole }) => whole);
  const key = (usable.find(({ primary }) => primary) ?? usable[0])?.key;
  return { table, columns, key, unique: indexes.map((index) => index.key).filter((each) => each !== key) };
}

async function readColumns(session: RowsSession, table: TableEntry): Promise<readonly Column[]> {
  const rows = await session.rows(
    `SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.atttypid::text AS type_oid, a.attnotnull, a.atthasdef,
            a.attgenerated, a.attidentity
       FROM pg_attribute a WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [table.oid],
  );
  return rows.map((row) => ({
    name: row.attname!,
    type: row.type!,
    typeOid: row.type_oid!,
    notNull: row.attnotnull === 't',
    hasDefault: row.atthasdef === 't',
    generated: row.attgenerated !== '',
    identity: row.attidentity === 'a' ? 'always' : row.attidentity === 'd' ? 'default' : null,
  }));
}

interface UniqueIndex {
  readonly key: Key;
  readonly primary: boolean;
  /** No column of it can be NULL, so that it tells every row apart. */
  readonly whole: boolean;
}

/** Unique indexes without expressions and predicates, shortest first. The operators are those of the index: what it takes for equal. */
async function readUnique(session: RowsSession, table: TableEntry): Promise<readonly UniqueIndex[]> {
  const rows = await session.rows(
    `SELECT c.relname, i.indisprimary, bool_and(a.attnotnull) AS whole,
            json_agg(json_build_array(a.attname, opn.nspname, op.oprname) ORDER BY k.o) AS parts
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam
       CROSS JOIN LATERAL unnest(i.indkey::int2[], i.indclass::oid[]) WITH ORDINALITY k(n, class, o)
       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n
       JOIN pg_opclass oc ON oc.oid = k.class
       JOIN pg_amop ao ON ao.amopfamily = oc.opcfamily AND ao.amopstrategy = 3
            AND ao.amoplefttype = oc.opcintype AND ao.amoprighttype = oc.opcintype
       JOIN pg_operator op ON op.oid = ao.amopopr JOIN pg_namespace opn ON opn.oid = op.oprnamespace
      WHERE i.indrelid = $1::oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
        AND am.amname = 'btree' AND k.o <= i.indnkeyatts
      GROUP BY c.relname, i.indisprimary, i.indnkeyatts HAVING count(*) = i.indnkeyatts
      ORDER BY i.indnkeyatts, c.relname`,
    [table.oid],
  );
  return rows.map(uniqueIndex);
}

function uniqueIndex(row: SqlRow): UniqueIndex {
  const parts = JSON.parse(row.parts!) as [column: string, schema: string, operator: string][];
  const operators = parts.map(([, schema, operator]) => `OPERATOR(${quoted(schema)}.${operator})`);
  const key = { name: row.relname!, columns: parts.map(([column]) => column), operators };
  return { key, primary: row.indisprimary === 't', whole: row.whole === 't' };
}
