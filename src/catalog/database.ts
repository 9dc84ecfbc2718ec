/** What the two databases do differently, in one place: transactions, locks on rows, errors that mean something. */
import { type Kysely, PostgresAdapter, sql, type Transaction } from 'kysely';
import type { CatalogTables } from './schema.ts';

/** The catalog, or a transaction in it: functions of the stores take either, and join a caller's transaction. */
export type CatalogDb = Kysely<CatalogTables> | Transaction<CatalogTables>;

/** How often a transaction is tried that PostgreSQL ended to resolve a deadlock or a conflict. */
const TRIES = 5;
const DEADLOCK = '40P01';
const CONFLICT = '40001';
const UNIQUE = '23505';
/** SQLITE_CONSTRAINT_UNIQUE and _PRIMARYKEY. */
const SQLITE_UNIQUE: readonly unknown[] = [2067, 1555];

export function onPostgres(db: CatalogDb): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

/** All of `work` or nothing of it: in the caller's transaction, or in one of its own. `work` may run again after a deadlock. */
export async function within<T>(db: CatalogDb, work: (db: CatalogDb) => Promise<T>): Promise<T> {
  if (db.isTransaction) return await work(db);
  for (let tries = 1; ; tries++) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      const code = codeOf(error);
      if (tries === TRIES || (code !== DEADLOCK && code !== CONFLICT)) throw error;
    }
  }
}

interface Lockable {
  forUpdate(): this;
}

/** Rows that are read stay as they are until the transaction ends. SQLite has one writer at a time and needs no lock. */
export function locking<Q extends Lockable>(db: CatalogDb, query: Q): Q {
  return onPostgres(db) ? query.forUpdate() : query;
}

/** Whether a row of that key is there already. */
export function isDuplicate(error: unknown): boolean {
  return codeOf(error) === UNIQUE || SQLITE_UNIQUE.includes(codeOf(error, 'errcode'));
}

/** The code of the database's own error, which may be the cause of ours. */
function codeOf(error: unknown, property: 'code' | 'errcode' = 'code'): unknown {
  const own = error as { readonly cause?: unknown } | undefined;
  const database = own?.cause instanceof Error ? own.cause : own;
  return (database as Record<string, unknown> | undefined)?.[property];
}

/** Text that both databases can hold: PostgreSQL has no place for the character zero. */
export function storable(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\u{FFFD}') : text;
}

/**
 * Reads one moment of the catalog, however long it takes. On SQLite nothing else can be asked through this catalog meanwhile: a process
 * that serves others opens a second one for it.
 */
export async function frozen<T>(db: Kysely<CatalogTables>, work: (db: CatalogDb) => Promise<T>): Promise<T> {
  return await db.connection().execute(async (connection) => {
    await sql
      .raw(onPostgres(db) ? 'begin isolation level repeatable read read only' : 'begin deferred')
      .execute(connection);
    try {
      return await work(connection);
    } finally {
      await sql.raw('rollback').execute(connection);
    }
  });
}
