/** The numbered migrations, in order, and the one transaction that carries out those that are missing. */
import { type Kysely, sql } from 'kysely';
import { Failure } from '../base/failure.ts';
import { type CatalogDb, onPostgres } from './database.ts';
import { up as first } from './migrations/0001-first.ts';
import type { CatalogTables } from './schema.ts';

export interface Migration {
  up(db: CatalogDb): Promise<void>;
}

export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-first': { up: first },
};

/** Any number; the same for every Holdfast. */
const LOCK = 4_815_162_342;

export type Migrations = Readonly<Record<string, Migration>>;

/** Brings the catalog to the newest form; one process at a time does it. Throws `catalog_failed`, with nothing half-changed. */
export async function migrate(db: Kysely<CatalogTables>, migrations: Migrations = MIGRATIONS): Promise<void> {
  // SQLite begins a transaction as its only writer.
  await db.transaction().execute((tx) => migrateWithin(tx, migrations));
}

/** The same in the caller's transaction. */
export async function migrateWithin(tx: CatalogDb, migrations: Migrations): Promise<void> {
  const names = Object.keys(migrations);
  if (onPostgres(tx)) await sql`select pg_advisory_xact_lock(${LOCK})`.execute(tx);
  await sql`create table if not exists catalog_migrations (name text primary key)`.execute(tx);
  const { rows } = await sql<{ name: string }>`select name from catalog_migrations order by name`.execute(tx);
  const done = rows.map(({ name }) => name);
  const strange = done.find((name, at) => name !== names[at]);
  if (strange !== undefined) throw written(strange);
  for (const name of names.slice(done.length)) {
    await migrations[name]?.up(tx);
    await sql`insert into catalog_migrations (name) values (${name})`.execute(tx);
  }
}

/** Takes away `tables` with everything in them, and makes those of an earlier form: the first `count` migrations. */
export async function beginAt(
  tx: CatalogDb,
  tables: readonly (keyof CatalogTables)[],
  migrations: Migrations,
  count: number,
): Promise<void> {
  for (const table of tables) await tx.schema.dropTable(table).execute();
  await sql`delete from catalog_migrations`.execute(tx);
  await migrateWithin(tx, Object.fromEntries(Object.entries(migrations).slice(0, count)));
}

function written(name: string): Failure {
  return new Failure('catalog_failed', `The catalog was written by a newer Holdfast (it has "${name}").`, {
    hint: 'Run that version, or name another place under "catalog" and run "holdfast catalog rebuild".',
  });
}
