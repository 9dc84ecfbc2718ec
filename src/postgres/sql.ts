/** Plain SQL for reading facts: a session that can neither write nor run for ever, nor silently see only some rows. */
import type pg from 'pg';
import { Failure } from '../base/failure.ts';
import { connectClient } from './connect.ts';
import type { ConnectionSettings } from './connection-settings.ts';
import { connectionFailure, sqlstateOf } from './server-error.ts';

export type SqlRow = Readonly<Record<string, unknown>>;

export interface SqlOptions {
  readonly signal?: AbortSignal | undefined;
  /** The server ends a statement that runs longer. Default one minute; 0 for no limit. */
  readonly statementTimeoutMs?: number;
}

/** Rows fetched at once from a cursor. */
const BATCH_ROWS = 1000;
/** Values as the server prints them, without conversion. */
const AS_TEXT = { getTypeParser: () => (text: string) => text };

const DEFAULT_STATEMENT_TIMEOUT_MS = 60_000;

export class SqlSession implements AsyncDisposable {
  readonly #client: pg.Client;
  readonly #signal: AbortSignal | undefined;
  readonly #abort: () => void;
  #cursors = 0;

  private constructor(client: pg.Client, signal: AbortSignal | undefined) {
    this.#client = client;
    this.#signal = signal;
    this.#abort = () => client.connection.stream.destroy();
    signal?.addEventListener('abort', this.#abort, { once: true });
  }

  /**
   * Connects a read-only session. `row_security` is off: a policy that would hide rows becomes an error (SQLSTATE 42501) instead of
   * an incomplete answer.
   */
  static async open(settings: ConnectionSettings, options: SqlOptions = {}): Promise<SqlSession> {
    const client = await connectClient(settings, { signal: options.signal });
    const session = new SqlSession(client, options.signal);
    const timeout = options.statementTimeoutMs ?? DEFAULT_STATEMENT_TIMEOUT_MS;
    await session.run(
      `SET default_transaction_read_only = on; SET row_security = off; SET statement_timeout = ${Math.round(timeout)}; ` +
        `SET idle_in_transaction_session_timeout = 0; SET search_path = pg_catalog, public; SET DateStyle = ISO; SET client_encoding = UTF8`,
    );
    return session;
  }

  /** The rows of one statement; throws Failure with the SQLSTATE in its details. */
  async rows(sql: string, values: readonly unknown[] = [], doing = 'A query'): Promise<readonly SqlRow[]> {
    try {
      return (await this.#client.query(sql, [...values])).rows as SqlRow[];
    } catch (error) {
      throw this.#failure(error, doing);
    }
  }

  /** Runs statements that return nothing of interest. */
  async run(sql: string, doing = 'A query'): Promise<void> {
    try {
      await this.#client.query(sql);
    } catch (error) {
      throw this.#failure(error, doing);
    }
  }

  /**
   * The rows of one query of any length, as text, with bounded memory: a cursor, fetched in batches. Needs an open transaction.
   * A policy that would hide rows is refused with the statement that mends it.
   */
  async *stream(query: string, doing: string): AsyncGenerator<readonly (string | null)[], void, undefined> {
    const cursor = `c${++this.#cursors}`;
    try {
      await this.#client.query(`DECLARE ${cursor} NO SCROLL CURSOR FOR ${query.trim().replace(/;$/, '')}`);
      for (;;) {
        const { rows } = await this.#client.query<(string | null)[]>({
          text: `FETCH ${BATCH_ROWS} FROM ${cursor}`,
          rowMode: 'array',
          types: AS_TEXT,
        });
        yield* rows;
        if (rows.length < BATCH_ROWS) break;
      }
      await this.#client.query(`CLOSE ${cursor}`);
    } catch (error) {
      throw await this.#readFailure(error, doing);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#abort);
    if (this.#client.connection.stream.destroyed) return;
    await this.#client.end().catch(() => {});
  }

  /** Adds the GRANT or ALTER ROLE that lets the role read everything. */
  async #readFailure(error: unknown, doing: string): Promise<Failure> {
    const failure = this.#failure(error, doing);
    if (sqlstateOf(failure) !== '42501') return failure;
    const role = `"${(this.#client.user ?? '').replaceAll('"', '""')}"`;
    const hidden = /row.level security/i.test(failure.message);
    const hint = hidden ? `ALTER ROLE ${role} BYPASSRLS;` : `GRANT pg_read_all_data TO ${role};`;
    return new Failure(failure.code, failure.message, { hint, details: failure.details, cause: failure });
  }

  #failure(error: unknown, doing: string): Failure {
    if (this.#signal?.aborted) return new Failure('interrupted', 'Interrupted.', { cause: this.#signal.reason });
    return connectionFailure(error, doing, 'postgres_refused');
  }
}
