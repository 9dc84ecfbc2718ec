/** Reading tables as they were: the operator's predicate, checked, and the query that reads the rows. */
import { Failure } from '../../base/failure.ts';
import { quoted } from '../../postgres/quoting.ts';
import { sqlstateOf } from '../../postgres/server-error.ts';
import { refuseHidden, relationOf, type TableEntry } from './catalog.ts';
import { displayName } from './quoting.ts';
import type { RowsSession } from './session.ts';

/** Opens the one read-only transaction in which everything of a side is read. */
export async function beginReading(session: RowsSession): Promise<void> {
  await session.run('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
}

/** `SELECT columns FROM table WHERE (where)`. The predicate is the operator's own SQL; a line break ends a comment in it. */
export function selectRows(table: TableEntry, columns: readonly string[], where: string | undefined): string {
  const list = columns.map(quoted).join(', ');
  return `SELECT ${list} FROM ${relationOf(table)}${where === undefined ? '' : ` WHERE (\n${where}\n)`}`;
}

/**
 * Prepares the session for reading `table` with the operator's predicate: names in it resolve as an application's would (the table's own
 * schema, then public), and it must be one expression. Throws `usage` with the server's words when it is none, `rows_refused` when
 * policies would hide rows.
 */
export async function checkReadable(
  session: RowsSession,
  table: TableEntry,
  columns: readonly string[],
  where: string | undefined,
): Promise<void> {
  refuseHidden(table, session.settings.user, 'as they were');
  if (where === undefined) return;
  const path = [...new Set([table.schema, 'public'])].map(quoted).join(', ');
  await session.run(`SET LOCAL search_path = ${path}`);
  try {
    // A cursor takes exactly one query: a predicate that ends the parenthesis and goes on with something else is a syntax error here.
    await session.run('SAVEPOINT predicate');
    await session.rows(`DECLARE holdfast_predicate CURSOR FOR ${selectRows(table, columns, where)} LIMIT 0`);
    await session.run('ROLLBACK TO SAVEPOINT predicate; RELEASE SAVEPOINT predicate');
  } catch (error) {
    if (sqlstateOf(error) === '') throw error;
    throw new Failure('usage', `--where does not fit ${displayName(table)}: ${(error as Failure).message}.`, {
      hint: `Give what would stand after WHERE, for example --where "id = 42".`,
      cause: error,
    });
  }
}

/** Puts the search path back after `checkReadable`: only catalogue names resolve by themselves. */
export async function doneReading(session: RowsSession): Promise<void> {
  await session.run('SET LOCAL search_path = pg_catalog');
}
