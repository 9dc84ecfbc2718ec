/** The service's own records, opened. The storages hold the truth about backups; what is here can be lost and is rebuilt from them. */
import { Kysely, type Transaction } from 'kysely';
import { asFailure, Failure } from '../base/failure.ts';
import { postgresDialect, postgresPool } from './dialects/postgres.ts';
import { sqliteDialect } from './dialects/sqlite.ts';
import { migrate } from './migrations.ts';
import type { CatalogTables } from './schema.ts';

export type CatalogDb = Kysely<CatalogTables> | Transaction<CatalogTables>;

/** Where the catalog is: a file of SQLite (absolute path), or a database of PostgreSQL. */
export type CatalogPlace = { readonly path: string } | { readonly url: string; readonly connections?: number };

const CONNECTIONS = 10;

export class Catalog implements AsyncDisposable {
  readonly db: Kysely<CatalogTables>;
  readonly dialect: 'sqlite' | 'postgres';

  constructor(db: Kysely<CatalogTables>, dialect: 'sqlite' | 'postgres') {
    this.db = db;
    this.dialect = dialect;
  }

  /** All of `work` or nothing of it. SQLite lets one at a time write; PostgreSQL runs them at READ COMMITTED. */
  transaction<T>(work: (db: CatalogDb) => Promise<T>): Promise<T> {
    return this.db.transaction().execute(work);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.db.destroy();
  }
}

/** Opens it and brings it to the newest form. Throws `catalog_failed`. Declare it with `await using`. */
export async function openCatalog(place: CatalogPlace): Promise<Catalog> {
  const sqlite = 'path' in place;
  const dialect = sqlite
    ? sqliteDialect(place.path)
    : postgresDialect(postgresPool(place.url, place.connections ?? CONNECTIONS));
  const catalog = new Catalog(new Kysely<CatalogTables>({ dialect }), sqlite ? 'sqlite' : 'postgres');
  try {
    await migrate(catalog.db);
    return catalog;
  } catch (error) {
    await catalog[Symbol.asyncDispose]().catch(() => {}); // why it could not be opened says more
    if (error instanceof Failure) throw error;
    throw asFailure(error, 'catalog_failed');
  }
}
