/** The service's own records, opened. The storages hold the truth about backups; what is here can be lost and is rebuilt from them. */
import { Kysely } from 'kysely';
import { asFailure, Failure } from '../base/failure.ts';
import { type CatalogDb, within } from './database.ts';
import { Listener, type Listening } from './dialects/listener.ts';
import { postgresDialect, postgresPool, postgresReads } from './dialects/postgres.ts';
import { sqliteFile } from './dialects/sqlite.ts';
import { type DirectReads, readDirectly } from './direct-reads.ts';
import { migrate } from './migrations.ts';
import type { CatalogTables } from './schema.ts';
import { SharedAsking } from './shared-asking.ts';
import { Wake } from './wake.ts';

export type { CatalogDb } from './database.ts';

/** Where the catalog is: a file of SQLite (absolute path), or a database of PostgreSQL. */
export type CatalogPlace = { readonly path: string } | { readonly url: string; readonly connections?: number };

const CONNECTIONS = 10;

export class Catalog implements AsyncDisposable {
  readonly db: Kysely<CatalogTables>;
  readonly dialect: 'sqlite' | 'postgres';
  /** Woken when something was committed: by this process, and on PostgreSQL by any while somebody listens. */
  readonly wake: Wake;
  readonly #reads: DirectReads;
  readonly #versions: SharedAsking<string>;
  readonly #listener: Listener | undefined;

  constructor(db: Kysely<CatalogTables>, reads: DirectReads, wake: Wake, listener?: Listener) {
    this.db = db;
    this.#reads = reads;
    this.#versions = new SharedAsking(() => reads.version());
    readDirectly(db, reads);
    this.dialect = listener === undefined ? 'sqlite' : 'postgres';
    this.wake = wake;
    this.#listener = listener;
  }

  /**
   * All of `work` or nothing of it. SQLite lets one at a time write; PostgreSQL runs them at READ COMMITTED, and `work` again after a
   * deadlock, so it must change nothing but the catalog. Inside, use only the `db` that is handed in.
   */
  transaction<T>(work: (db: CatalogDb) => Promise<T>): Promise<T> {
    return within(this.db, work);
  }

  /** The same text twice: nothing was committed between, by whomever. Asked for after the call; many calls at once are one question. */
  version(): Promise<string> {
    return this.#versions.ask();
  }

  /** From now on `wake` also tells what other processes commit, where the database can say so, until the answer is disposed of. */
  async listen(): Promise<Listening> {
    return (await this.#listener?.hold()) ?? { ensure: async () => {}, [Symbol.asyncDispose]: async () => {} };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener?.[Symbol.asyncDispose]();
    await this.#reads[Symbol.asyncDispose]();
    await this.db.destroy();
  }
}

/** Opens it and brings it to the newest form. Throws `catalog_failed`. Declare it with `await using`. */
export async function openCatalog(place: CatalogPlace): Promise<Catalog> {
  const catalog = 'path' in place ? onFile(place.path) : onServer(place.url, place.connections ?? CONNECTIONS);
  try {
    await migrate(catalog.db);
    return catalog;
  } catch (error) {
    await catalog[Symbol.asyncDispose]().catch(() => {}); // why it could not be opened says more
    if (error instanceof Failure) throw error;
    throw asFailure(error, 'catalog_failed');
  }
}

function onFile(path: string): Catalog {
  const wake = new Wake();
  const { dialect, reads } = sqliteFile(path, () => wake.wake());
  return new Catalog(new Kysely<CatalogTables>({ dialect }), reads, wake);
}

function onServer(url: string, connections: number): Catalog {
  const wake = new Wake();
  const pool = postgresPool(url, connections);
  const db = new Kysely<CatalogTables>({ dialect: postgresDialect(pool) });
  return new Catalog(db, postgresReads(pool), wake, new Listener(url, () => wake.wake()));
}
