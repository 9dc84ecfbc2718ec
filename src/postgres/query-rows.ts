/** The rows of one configured query (references, tenants), whatever their number: a cursor in a read-only snapshot, bounded memory. */
import { parseConnectionUrl } from './connection-settings.ts';
import { SqlSession } from './sql.ts';

export interface QueryRowsOptions {
  readonly signal?: AbortSignal | undefined;
  /** Begins error messages, e.g. `The references query`. */
  readonly doing?: string;
  /** The server ends a fetch that runs longer. Default one minute. */
  readonly statementTimeoutMs?: number;
}

/**
 * Yields each row as text, in the server's order. Throws Failure `postgres_refused` when the query fails; where row-level security
 * would hide rows or the role may not read, its hint is the statement that mends that.
 */
export async function* queryRows(
  url: string,
  query: string,
  options: QueryRowsOptions = {},
): AsyncGenerator<readonly (string | null)[], void, undefined> {
  const { signal, statementTimeoutMs, doing = 'The query' } = options;
  await using sql = await SqlSession.open(parseConnectionUrl(url), {
    signal,
    ...(statementTimeoutMs === undefined ? {} : { statementTimeoutMs }),
  });
  await sql.run('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
  yield* sql.stream(query, doing);
}
