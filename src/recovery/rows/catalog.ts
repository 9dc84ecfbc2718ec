/** What a database has: its tables and the foreign keys between them, read once. Details of single tables are in `table.ts`. */
import { Failure } from '../../base/failure.ts';
import { quoted } from '../../postgres/quoting.ts';
import { displayName, quotedTable, sameTable, type TableName } from './quoting.ts';
import type { RowsSession, SqlRow } from './session.ts';

/** An ordinary or partitioned table, or a partition. */
export interface TableEntry extends TableName {
  readonly oid: string;
  readonly partitioned: boolean;
  /** The topmost partitioned table of a partition; itself for every other table. Rows are compared and merged there. */
  readonly root: TableName;
  /** Tables that inherit from it without being partitions. */
  readonly hasChildren: boolean;
  /** Whether policies hide rows from the role of the session. */
  readonly hidden: boolean;
}

/** A foreign key between two tables; a partition counts as its topmost table. */
export interface ForeignKey {
  readonly name: string;
  readonly child: TableName;
  readonly childColumns: readonly string[];
  readonly parent: TableName;
  readonly parentColumns: readonly string[];
  /** What happens to the child's rows: `a` and `r` refuse, `c` deletes, `n` and `d` change them. */
  readonly onDelete: string;
  /** For each column the operator that compares parent with child, ready for SQL. */
  readonly operators: readonly string[];
}

export interface Catalog {
  readonly database: string;
  readonly major: number;
  readonly tables: readonly TableEntry[];
  readonly foreignKeys: readonly ForeignKey[];
}

const MAX_TABLES = 100_000;

export async function readCatalog(session: RowsSession): Promise<Catalog> {
  const version = Number(await session.value('SHOW server_version_num'));
  const database = (await session.value('SELECT current_database()')) ?? '';
  const tables = await readTables(session);
  const major = Math.floor(version / 10_000);
  return { database, major, tables, foreignKeys: await readForeignKeys(session, tables, major) };
}

/** The table of this name; undefined when there is none. */
export function findTable(catalog: Catalog, name: TableName): TableEntry | undefined {
  return catalog.tables.find((table) => sameTable(table, name));
}

async function readTables(session: RowsSession): Promise<readonly TableEntry[]> {
  const rows = await session.rows(
    `SELECT c.oid::text, n.nspname, c.relname, c.relkind, row_security_active(c.oid) AS hidden,
            coalesce(rn.nspname, n.nspname) AS root_schema, coalesce(rc.relname, c.relname) AS root_name,
            c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid) AS has_children
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_class rc ON c.relispartition AND rc.oid = pg_partition_root(c.oid)
       LEFT JOIN pg_namespace rn ON rn.oid = rc.relnamespace
      WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
        AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
      ORDER BY 2, 3 LIMIT ${MAX_TABLES}`,
  );
  return rows.map((row) => ({
    oid: row.oid!,
    schema: row.nspname!,
    name: row.relname!,
    partitioned: row.relkind === 'p',
    root: { schema: row.root_schema!, name: row.root_name! },
    hasChildren: row.has_children === 't',
    hidden: row.hidden === 't',
  }));
}

async function readForeignKeys(
  session: RowsSession,
  tables: readonly TableEntry[],
  major: number,
): Promise<readonly ForeignKey[]> {
  // Keys over periods (PERIOD, from 18 on) match by containment: the server checks them, nobody follows them.
  const plain = major >= 18 ? 'AND NOT con.conperiod' : '';
  const rows = await session.rows(
    `SELECT con.conname, con.conrelid::text AS child, con.confrelid::text AS parent, con.confdeltype,
            to_json(ARRAY(SELECT a.attname FROM unnest(con.conkey) WITH ORDINALITY k(n, o)
                    JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.n ORDER BY k.o)) AS child_columns,
            to_json(ARRAY(SELECT a.attname FROM unnest(con.confkey) WITH ORDINALITY k(n, o)
                    JOIN pg_attribute a ON a.attrelid = con.confrelid AND a.attnum = k.n ORDER BY k.o)) AS parent_columns,
            to_json(ARRAY(SELECT json_build_array(n.nspname, op.oprname) FROM unnest(con.conpfeqop) WITH ORDINALITY k(o, i)
                    JOIN pg_operator op ON op.oid = k.o JOIN pg_namespace n ON n.oid = op.oprnamespace ORDER BY k.i)) AS operators
       FROM pg_constraint con WHERE con.contype = 'f' AND con.conparentid = 0 ${plain} ORDER BY con.conname, con.oid`,
  );
  const byOid = new Map(tables.map((table) => [table.oid, table]));
  return rows.flatMap((row) => {
    const child = byOid.get(row.child!);
    const parent = byOid.get(row.parent!);
    return child && parent ? [foreignKey(row, child, parent)] : [];
  });
}

function foreignKey(row: SqlRow, child: TableEntry, parent: TableEntry): ForeignKey {
  const operators = JSON.parse(row.operators!) as [schema: string, name: string][];
  return {
    name: row.conname!,
    child: child.root,
    childColumns: JSON.parse(row.child_columns!) as string[],
    parent: parent.root,
    parentColumns: JSON.parse(row.parent_columns!) as string[],
    onDelete: row.confdeltype!,
    operators: operators.map(([schema, name]) => `OPERATOR(${quoted(schema)}.${name})`),
  };
}

/** What stands after FROM: a table that others inherit from is read without them. */
export function relationOf(table: TableEntry): string {
  return `${table.partitioned ? '' : 'ONLY '}${quotedTable(table)}`;
}

/** Throws `rows_refused` when policies would silently leave rows out. */
export function refuseHidden(table: TableEntry, role: string, where: string): void {
  if (!table.hidden) return;
  throw new Failure(
    'rows_refused',
    `Row-level security would hide rows of ${displayName(table)} ${where} from ${role}.`,
    {
      hint: `ALTER ROLE ${quoted(role)} BYPASSRLS; or use a role that has it.`,
    },
  );
}
