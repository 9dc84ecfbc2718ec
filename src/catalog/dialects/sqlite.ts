/** SQLite by Node's own driver: write-ahead log, every commit on the disk before it is told as done. */
import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { type Dialect, SqliteDialect } from 'kysely';
import { makeDirectoriesSync } from '../../base/make-directories.ts';
import type { DirectReads } from '../direct-reads.ts';
import { type Guard, guarded } from './guarded.ts';
import { sqliteGuard } from './sqlite-faults.ts';

const KEPT_STATEMENTS = 200;

/** `committed` is called after each transaction of this process. The file that `dialect` opened is the one that is read. */
export function sqliteFile(
  path: string,
  committed: () => void,
): { readonly dialect: Dialect; readonly reads: DirectReads } {
  const guard = sqliteGuard(path);
  const dialect = new SqliteDialect({ database: async () => new Connection(open(path), committed) });
  return { dialect: guarded(dialect, guard), reads: new Reads(path, guard) };
}

class Reads implements DirectReads {
  readonly #path: string;
  readonly #guard: Guard;
  #connection: Connection | undefined;

  constructor(path: string, guard: Guard) {
    this.#path = path;
    this.#guard = guard;
  }

  read<R>(text: string, parameters: readonly unknown[]): Promise<{ readonly rows: R[] }> {
    return this.#guard(async () => {
      this.#connection ??= new Connection(new DatabaseSync(this.#path, { readOnly: true }), () => {});
      return { rows: this.#connection.prepare(text).all(parameters) as R[] };
    }, true);
  }

  /** Counts what other connections commit, and this one commits nothing. */
  async version(): Promise<string> {
    const { rows } = await this.read<{ readonly data_version: number }>('pragma data_version', []);
    return `${rows[0]!.data_version}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection?.close();
  }
}

function open(path: string): DatabaseSync {
  makeDirectoriesSync(dirname(path), 0o700);
  const db = new DatabaseSync(path);
  try {
    chmodSync(path, 0o600);
    db.exec('pragma journal_mode = wal');
    db.exec('pragma synchronous = full');
    db.exec('pragma foreign_keys = on');
    db.exec('pragma cache_size = -16000'); // KiB: the pages that every write touches stay in memory
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** What Kysely wants of a driver, with the statements used last kept prepared. */
class Connection {
  readonly #db: DatabaseSync;
  readonly #committed: () => void;
  readonly #statements = new Map<string, Statement>();

  constructor(db: DatabaseSync, committed: () => void) {
    this.#db = db;
    this.#committed = committed;
  }

  prepare(sql: string): Statement {
    // A transaction that begins as a reader and writes later fails when another process wrote in between; one that begins as a writer waits.
    const text = sql === 'begin' ? 'begin immediate' : sql;
    const known = this.#statements.get(text);
    this.#statements.delete(text);
    const after = text === 'commit' ? this.#committed : undefined;
    const statement = known ?? new Statement(this.#db.prepare(text), after);
    this.#statements.set(text, statement);
    if (this.#statements.size > KEPT_STATEMENTS) this.#statements.delete(this.#statements.keys().next().value!);
    return statement;
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }
}

type Row = Record<string, unknown>;

class Statement {
  readonly reader: boolean;
  readonly #statement: StatementSync;
  readonly #after: (() => void) | undefined;
  readonly #columns: readonly string[];
  /** A row without values, whose copies all have one form. */
  readonly #empty: Row;

  constructor(statement: StatementSync, after: (() => void) | undefined) {
    this.#statement = statement;
    this.#after = after;
    this.#columns = statement.columns().map(({ name }) => name);
    this.#empty = Object.fromEntries(this.#columns.map((name) => [name, null]));
    this.reader = this.#columns.length > 0;
    if (this.reader) statement.setReturnArrays(true);
  }

  all(parameters: readonly unknown[]): unknown[] {
    return this.#statement.all(...(parameters as SQLInputValue[])).map((values) => this.#row(values));
  }

  run(parameters: readonly unknown[]) {
    const result = this.#statement.run(...(parameters as SQLInputValue[]));
    this.#after?.();
    return result;
  }

  iterate(parameters: readonly unknown[]): IterableIterator<unknown> {
    return this.#statement.iterate(...(parameters as SQLInputValue[])).map((values) => this.#row(values));
  }

  /** The driver's own objects are tables of names, each looked up with every use: reading those of a page takes longer than making them. */
  #row(values: unknown): Row {
    const row = { ...this.#empty };
    const columns = this.#columns;
    for (let at = 0; at < columns.length; at++) row[columns[at]!] = (values as readonly unknown[])[at];
    return row;
  }
}
