/** PostgreSQL for several machines. */
import { type Dialect, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { DirectReads } from '../direct-reads.ts';
import { guarded } from './guarded.ts';
import { postgresGuard } from './postgres-faults.ts';

const INT8 = 20;
/** A statement that takes longer is given up: by the server, and where that does not answer by us. */
const STATEMENT_MS = 30_000;
const ANSWER_MS = 40_000;

/** Integers of eight bytes come as numbers: times and counters stay far below 2^53. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : pg.types.getTypeParser(oid, format),
} as pg.CustomTypesConfig;

export function postgresPool(url: string, connections: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    types,
    application_name: 'holdfast',
    connectionTimeoutMillis: 10_000,
    statement_timeout: STATEMENT_MS,
    query_timeout: ANSWER_MS,
    keepAlive: true,
    idleTimeoutMillis: 60_000,
  });
  pool.on('error', () => {}); // a connection that dies idle is replaced by the next query
  pool.on('connect', (client) => client.on('error', () => {})); // one that dies in use fails the query that waits for it
  return pool;
}

export function postgresDialect(pool: pg.Pool): Dialect {
  return guarded(new PostgresDialect({ pool }), postgresGuard);
}

const VERSION = `select pg_current_snapshot() || ' ' || extract(epoch from pg_postmaster_start_time()) as version`;

export function postgresReads(pool: pg.Pool): DirectReads {
  const read = async <R>(text: string, parameters: readonly unknown[]) => {
    const { rows } = await postgresGuard(() => pool.query(text, [...parameters]), true);
    return { rows: rows as R[] };
  };
  return {
    read,
    /** Which transactions are seen, by which server: the same ones, the same rows. */
    version: async () => (await read<{ readonly version: string }>(VERSION, [])).rows[0]!.version,
    [Symbol.asyncDispose]: async () => {}, // the dialect closes the pool
  };
}
