/** A dialect of Kysely with something around everything that is asked of the database: waiting for it, saying what its errors mean. */
import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult, TransactionSettings } from 'kysely';

/** Does `work`, again where that may help, and throws what the error means. `opens`: a transaction begins, or one statement by itself. */
export type Guard = <T>(work: () => Promise<T>, opens: boolean) => Promise<T>;

export function guarded(dialect: Dialect, guard: Guard): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createDriver: () => new GuardedDriver(dialect.createDriver(), guard),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
  };
}

class GuardedDriver implements Driver {
  readonly #driver: Driver;
  readonly #guard: Guard;

  constructor(driver: Driver, guard: Guard) {
    this.#driver = driver;
    this.#guard = guard;
  }

  init(): Promise<void> {
    return this.#guard(() => this.#driver.init(), true);
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const inner = await this.#guard(() => this.#driver.acquireConnection(), true);
    return new GuardedConnection(inner, this.#guard);
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    const { inner } = asGuarded(connection);
    await this.#guard(() => this.#driver.beginTransaction(inner, settings), true);
    asGuarded(connection).inTransaction = true;
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    const { inner } = asGuarded(connection);
    await this.#guard(() => this.#driver.commitTransaction(inner), false);
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // What failed says more than that it could not be undone by command: SQLite has undone it already, or the connection is gone.
    await this.#driver.rollbackTransaction(asGuarded(connection).inner).catch(() => {});
  }

  releaseConnection(connection: DatabaseConnection): Promise<void> {
    return this.#driver.releaseConnection(asGuarded(connection).inner);
  }

  destroy(): Promise<void> {
    return this.#driver.destroy();
  }
}

class GuardedConnection implements DatabaseConnection {
  readonly inner: DatabaseConnection;
  inTransaction = false;
  readonly #guard: Guard;

  constructor(inner: DatabaseConnection, guard: Guard) {
    this.inner = inner;
    this.#guard = guard;
  }

  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return this.#guard(() => this.inner.executeQuery<R>(query), !this.inTransaction);
  }

  streamQuery<R>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    return this.inner.streamQuery<R>(query, chunkSize);
  }
}

function asGuarded(connection: DatabaseConnection): GuardedConnection {
  return connection as GuardedConnection; // the driver hands out no others
}
