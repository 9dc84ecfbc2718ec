/**
 * A session on one of the two databases of this part: "then", a sandbox of an earlier moment, or "now", the running database. All values
 * are text in the server's own output form, under settings that make that form exact and the same on both sides.
 */
import type pg from 'pg';
import { Failure } from '../../base/failure.ts';
import { connectClient } from '../../postgres/connect.ts';
import type { ConnectionSettings } from '../../postgres/connection-settings.ts';
import { quoted } from '../../postgres/quoting.ts';
import { connectionFailure, sqlstateOf } from '../../postgres/server-error.ts';
import { CopyIn, CopyOut } from './copy-protocol.ts';
import { type TextRow, textRows } from './copy-text.ts';

/** Columns of a result row by name, as the server prints them. */
export type SqlRow = Readonly<Record<string, string | null>>;

export interface SessionOptions {
  readonly signal?: AbortSignal | undefined;
  /** Begins error messages: `The copy of then`, `The database`. */
  readonly label: string;
}

const AS_TEXT = { getTypeParser: () => (text: string) => text };

/**
 * Exact output: shortest floats that read back the same, ISO dates, hexadecimal bytea. Policies that would hide rows raise an error
 * instead. Only catalogue names resolve by themselves; everything else is qualified.
 */
export const EXACT_SETTINGS: Readonly<Record<string, string>> = {
  client_encoding: 'UTF8',
  standard_conforming_strings: 'on',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '3',
  bytea_output: 'hex',
  xmloption: 'content',
  row_security: 'off',
  search_path: 'pg_catalog',
};

const LIMITS = 'SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = 30000';

export class RowsSession implements AsyncDisposable {
  readonly settings: ConnectionSettings;
  readonly #client: pg.Client;
  readonly #options: SessionOptions;
  readonly #abort: () => void;

  private constructor(settings: ConnectionSettings, client: pg.Client, options: SessionOptions) {
    this.settings = settings;
    this.#client = client;
    this.#options = options;
    this.#abort = () => client.connection.stream.destroy();
    options.signal?.addEventListener('abort', this.#abort, { once: true });
  }

  static async open(settings: ConnectionSettings, options: SessionOptions): Promise<RowsSession> {
    const session = new RowsSession(settings, await connectClient(settings, { signal: options.signal }), options);
    const exact = Object.entries(EXACT_SETTINGS).map(([name, value]) => `SET ${name} = '${value}'`);
    await session.run(`${exact.join('; ')}; ${LIMITS}`);
    return session;
  }

  /** Rows of one statement (the server refuses more than one), small in number. */
  async rows(sql: string, values: readonly string[] = []): Promise<readonly SqlRow[]> {
    try {
      // The extended protocol takes one statement only; the type declarations do not know the setting.
      const query = { text: sql, values: [...values], types: AS_TEXT, queryMode: 'extended' };
      const { rows } = await this.#client.query<SqlRow>(query);
      return rows;
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** The first column of the first row. */
  async value(sql: string, values: readonly string[] = []): Promise<string | null> {
    const [row] = await this.rows(sql, values);
    return row === undefined ? null : (Object.values(row)[0] ?? null);
  }

  /** Runs statements; returns how many rows the last one touched. */
  async run(sql: string): Promise<number> {
    try {
      const result: unknown = await this.#client.query(sql);
      const last = (Array.isArray(result) ? result.at(-1) : result) as { rowCount?: number | null } | undefined;
      return last?.rowCount ?? 0;
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** The bytes of `COPY (query) TO STDOUT`, in whole rows; `format` as in COPY's options; `onRows` hears their number at the end. */
  async *copyOut(
    query: string,
    format = 'FORMAT text',
    onRows: (count: number) => void = () => {},
  ): AsyncGenerator<Buffer, void, undefined> {
    const copy = new CopyOut(`COPY (${query}) TO STDOUT (${format}, ENCODING 'UTF8')`);
    this.#submit(copy);
    try {
      yield* copy.read();
      onRows(copy.rows);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** The rows of any query, streamed. Only one stream at a time may be open on a session. */
  stream(query: string): AsyncGenerator<TextRow, void, undefined> {
    return textRows(this.copyOut(query));
  }

  /** `COPY target FROM STDIN`; `target` is a table with its columns. */
  async copyIn(target: string, chunks: AsyncIterable<Buffer>): Promise<void> {
    const copy = new CopyIn(`COPY ${target} FROM STDIN (FORMAT text, ENCODING 'UTF8')`);
    this.#submit(copy);
    try {
      await copy.write(chunks);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#abort);
    if (this.#client.connection.stream.destroyed) return;
    await this.#client.end().catch(() => {});
  }

  #submit(copy: CopyOut | CopyIn): void {
    this.#client.query(copy);
  }

  #failure(error: unknown): Failure {
    if (this.#options.signal?.aborted) {
      return new Failure('interrupted', 'Interrupted.', { cause: this.#options.signal.reason });
    }
    const failure = connectionFailure(error, `${this.#options.label}: a statement`, 'postgres_refused');
    const hint = failure.hint ?? this.#hint(sqlstateOf(failure), failure.message);
    return new Failure(failure.code, failure.message, {
      ...(hint === undefined ? {} : { hint }),
      details: failure.details,
      cause: error,
    });
  }

  #hint(sqlstate: string, message: string): string | undefined {
    if (sqlstate !== '42501') return undefined;
    const role = quoted(this.#client.user ?? '');
    if (/row.level security/i.test(message)) return `ALTER ROLE ${role} BYPASSRLS; or use a role that has it.`;
    return `Grant what is missing to ${role} (reading, INSERT, for --update UPDATE, and TEMPORARY on the database), or use a role that has it: --merge-into env:NAME, with its URL in that variable.`;
  }
}
