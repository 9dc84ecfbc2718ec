/** The rows of a table, a thousand at a time, in the order of its key. */
import { type RawBuilder, sql } from 'kysely';
import type { CatalogDb } from '../database.ts';
import type { CopiedTable } from './tables.ts';

export interface Rows {
  /** The names, with the first rows only. */
  readonly columns: readonly string[] | undefined;
  readonly values: readonly (readonly unknown[])[];
}

type Row = Readonly<Record<string, unknown>>;

const PAGE = 1000;

/** `limit`: at most so many, the last by key. Nothing is yielded of an empty table. */
export async function* rowsOf(db: CatalogDb, table: CopiedTable, limit?: number): AsyncGenerator<Rows> {
  const order = limit === undefined ? 'asc' : 'desc';
  let columns: string[] | undefined;
  let last: Row | undefined;
  for (let left = limit ?? Number.POSITIVE_INFINITY; left > 0; ) {
    const size = Math.min(PAGE, left);
    const rows = await page(db, table, order, last, size);
    if (rows.length === 0) return;
    const first = columns === undefined;
    columns ??= Object.keys(rows[0]!);
    const names = columns;
    yield { columns: first ? names : undefined, values: rows.map((row) => names.map((name) => row[name])) };
    if (rows.length < size) return;
    last = rows.at(-1);
    left -= rows.length;
  }
}

async function page(
  db: CatalogDb,
  { name, key }: CopiedTable,
  order: 'asc' | 'desc',
  last: Row | undefined,
  size: number,
): Promise<readonly Row[]> {
  const sorted = key.map((column) => sql`${sql.ref(column)} ${sql.raw(order)}`);
  const from =
    last === undefined
      ? sql``
      : sql` where (${names(key)}) ${sql.raw(order === 'asc' ? '>' : '<')} (${values(key, last)})`;
  const query = sql<Row>`select * from ${sql.table(name)}${from} order by ${sql.join(sorted)} limit ${size}`;
  return (await query.execute(db)).rows;
}

function names(key: readonly string[]): RawBuilder<unknown> {
  return sql.join(key.map((column) => sql.ref(column)));
}

function values(key: readonly string[], row: Row): RawBuilder<unknown> {
  return sql.join(key.map((column) => sql`${row[column]}`));
}
