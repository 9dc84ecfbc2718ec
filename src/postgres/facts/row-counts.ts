/**
 * Rows per table: small tables counted, as long as pages and time last; the rest taken from the planner's estimate and said to be so.
 * Tables with policies that would hide rows from the role are never counted: a count that is silently too low is worse than none.
 */
import type { Clock } from '../../base/clock.ts';
import { sqlstateOf } from '../server-error.ts';
import type { SqlSession } from '../sql.ts';

export interface TableRows {
  readonly schema: string;
  readonly name: string;
  /** Null where the table was never analysed and could not be counted. */
  readonly rows: number | null;
  readonly exact: boolean;
}

export interface CountOptions {
  /** Milliseconds for all counts together. */
  readonly budgetMs: number;
  readonly clock: Clock;
  /** The role that asks, for notes. */
  readonly user: string;
  readonly notes: string[];
}

interface Candidate {
  readonly schema: string;
  readonly name: string;
  readonly quoted: string;
  readonly pages: number;
  readonly estimate: number | null;
  readonly readable: boolean;
  readonly filtered: boolean;
}

/** About 2 GiB of 8 KiB pages: what a count of everything may read. */
const MAX_PAGES = 262_144;
const MAX_TABLES = 50_000;

/** Must run inside a transaction; a count that takes too long is rolled back to a savepoint. */
export async function countRows(sql: SqlSession, options: CountOptions): Promise<readonly TableRows[]> {
  const candidates = await readCandidates(sql);
  noteUncountable(candidates, options);
  const deadline = options.clock.monotonic() + options.budgetMs;
  const tables: TableRows[] = [];
  let pages = 0;
  for (const table of candidates) {
    pages += table.pages;
    const left = deadline - options.clock.monotonic();
    const counted =
      table.readable && !table.filtered && pages <= MAX_PAGES && left > 0 ? await count(sql, table, left) : undefined;
    tables.push({
      schema: table.schema,
      name: table.name,
      rows: counted ?? table.estimate,
      exact: counted !== undefined,
    });
  }
  return tables.sort((a, b) => compare(a.schema, b.schema) || compare(a.name, b.name));
}

/** Smallest tables first, so that the budget gives as many exact counts as possible. */
async function readCandidates(sql: SqlSession): Promise<readonly Candidate[]> {
  const rows = await sql.rows(
    `SELECT n.nspname, c.relname, format('%I.%I', n.nspname, c.relname) AS quoted,
            pg_relation_size(c.oid) / current_setting('block_size')::int8 AS pages, c.reltuples,
            has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable,
            row_security_active(c.oid) AS filtered
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND c.relpersistence <> 't'
        AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
      ORDER BY pages, n.nspname, c.relname LIMIT ${MAX_TABLES}`,
    [],
    'Reading the list of tables',
  );
  return rows.map((row) => ({
    schema: String(row.nspname),
    name: String(row.relname),
    quoted: String(row.quoted),
    pages: Number(row.pages ?? 0),
    estimate: Number(row.reltuples) < 0 ? null : Math.round(Number(row.reltuples)),
    readable: row.readable === true,
    filtered: row.filtered === true,
  }));
}

function noteUncountable(candidates: readonly Candidate[], { user, notes }: CountOptions): void {
  const role = `"${user.replaceAll('"', '""')}"`;
  const filtered = candidates.filter((table) => table.filtered).length;
  const unreadable = candidates.filter((table) => !table.readable).length;
  if (unreadable > 0) {
    notes.push(
      `Rows of ${unreadable} tables are estimates: the role may not read them. GRANT pg_read_all_data TO ${role};`,
    );
  }
  if (filtered > 0) {
    notes.push(
      `Rows of ${filtered} tables are estimates: row-level security would hide some. ALTER ROLE ${role} BYPASSRLS;`,
    );
  }
}

async function count(sql: SqlSession, table: Candidate, budgetMs: number): Promise<number | undefined> {
  await sql.run(`SAVEPOINT count_rows; SET LOCAL statement_timeout = ${Math.max(1, Math.ceil(budgetMs))}`);
  try {
    const [row] = await sql.rows(
      `SELECT count(*)::text AS n FROM ONLY ${table.quoted}`,
      [],
      `Counting the rows of ${table.quoted}`,
    );
    await sql.run('RELEASE SAVEPOINT count_rows');
    return Number(row?.n);
  } catch (error) {
    // Time is up, the table was dropped, a page is damaged: an estimate serves; a lost connection does not.
    if (sqlstateOf(error) === '') throw error;
    await sql.run('ROLLBACK TO SAVEPOINT count_rows');
    return undefined;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
