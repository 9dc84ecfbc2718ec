/** The forms that the catalog had: for each migration the statements that made its tables then, and rows, in files that are never edited. */
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Kysely, sql } from 'kysely';
import type { Catalog, CatalogDb, CatalogPlace } from '../../src/catalog/catalog.ts';
import { onPostgres } from '../../src/catalog/database.ts';
import { postgresDialect, postgresPool } from '../../src/catalog/dialects/postgres.ts';
import { sqliteFile } from '../../src/catalog/dialects/sqlite.ts';
import { MIGRATIONS, migrate } from '../../src/catalog/migrations.ts';
import type { CatalogTables } from '../../src/catalog/schema.ts';

const DIRECTORY = fileURLToPath(new URL('../integration/fixtures/catalog-forms/', import.meta.url));
const ROWS = 'rows.sql';

/** By the name of their last migration, oldest first. */
export const FORMS = Object.keys(MIGRATIONS);

/** Makes the catalog of a form, as it was left by the program that had it. */
export async function makeForm(place: CatalogPlace, form: string): Promise<void> {
  await using opened = open(place);
  const { db } = opened;
  for (const file of [tablesFile(place), ROWS])
    for (const statement of readFileSync(`${DIRECTORY}${form}/${file}`, 'utf8').split(/;\n/))
      if (statement.trim() !== '') await sql.raw(statement).execute(db);
  if (onPostgres(db)) await sql`select setval('events_seq_seq', (select max(seq) from events))`.execute(db);
}

/** How many rows each table of a form has. */
export function rowsOfForm(form: string): ReadonlyMap<string, number> {
  const inserted = readFileSync(`${DIRECTORY}${form}/${ROWS}`, 'utf8').matchAll(/^insert into (\w+)/gm);
  const byTable = Map.groupBy(inserted, ([, table]) => table!);
  byTable.delete('catalog_migrations'); // which grows as it is brought forward
  return new Map([...byTable].map(([table, rows]) => [table, rows.length]));
}

/** What the file of a form says that its tables are made with; with HOLDFAST_WRITE_FORMS it is written where there is none. */
export async function writtenTables(place: CatalogPlace, form: string, made: string): Promise<string> {
  const file = `${DIRECTORY}${form}/${tablesFile(place)}`;
  if (!existsSync(file) && process.env.HOLDFAST_WRITE_FORMS !== undefined) await writeFile(file, made);
  return readFileSync(file, 'utf8');
}

/** What the migrations up to a form make its tables with now, in a database that is empty. */
export async function madeTables(place: CatalogPlace, form: string): Promise<string> {
  const statements: string[] = [];
  await using opened = open(place, (statement) => statements.push(statement));
  const upTo = Object.entries(MIGRATIONS).slice(0, FORMS.indexOf(form) + 1);
  await migrate(opened.db, Object.fromEntries(upTo));
  return statements
    .filter((statement) => /^(create|alter|drop) /i.test(statement))
    .map((statement) => `${statement};\n`)
    .join('');
}

/** Tables, columns and indexes, in an order that does not tell which came first. */
export async function shapeOf({ db, dialect }: Catalog): Promise<object> {
  const tables = await db.introspection.getTables();
  const columns = tables.flatMap(({ name, columns: all }) =>
    all.map((column) => `${name}.${column.name} ${column.dataType}${column.isNullable ? '?' : ''}`),
  );
  const query =
    dialect === 'sqlite'
      ? sql<{ text: string }>`select sql as text from sqlite_master where type = 'index' and sql is not null`
      : sql<{ text: string }>`select indexdef as text from pg_indexes where schemaname = 'public'`;
  const { rows } = await query.execute(db);
  return { columns: columns.sort(), indexes: rows.map(({ text }) => text).sort() };
}

export async function countRows(db: CatalogDb, table: string): Promise<number> {
  const { rows } = await sql<{ rows: number }>`select count(*) as rows from ${sql.table(table)}`.execute(db);
  return rows[0]!.rows;
}

function open(place: CatalogPlace, onStatement?: (statement: string) => void) {
  const dialect =
    'path' in place ? sqliteFile(place.path, () => {}).dialect : postgresDialect(postgresPool(place.url, 1));
  const db = new Kysely<CatalogTables>({ dialect, log: ({ query }) => onStatement?.(query.sql) });
  return { db, [Symbol.asyncDispose]: () => db.destroy() };
}

function tablesFile(place: CatalogPlace): string {
  return 'path' in place ? 'sqlite.sql' : 'postgres.sql';
}
