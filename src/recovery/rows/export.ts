/** Rows as they were, streamed out of the server in its own exact form: CSV as COPY writes it, or JSON. */

import { quoted } from '../../postgres/quoting.ts';
import type { TableEntry } from './catalog.ts';
import { beginReading, checkReadable, doneReading, selectRows } from './read.ts';
import type { RowsSession } from './session.ts';
import { type Column, describeTable } from './table.ts';

/** Types whose values may have more digits than a binary float. */
const LONG_NUMBER = /^(?:bigint|numeric)(?:\(|$)/;

export type ExportFormat = 'csv' | 'json';

export interface ExportRequest {
  readonly table: TableEntry;
  readonly where: string | undefined;
  readonly format: ExportFormat;
  /** Hears how many rows there were, at the end. */
  readonly onRows: (rows: number) => void;
}

/** Throws `usage` for a predicate that does not fit, before the first byte. */
export async function* exportRows(session: RowsSession, request: ExportRequest): AsyncGenerator<Buffer> {
  const { table, where, format } = request;
  const described = (await describeTable(session, table)).columns;
  const columns = described.map(({ name }) => name);
  await beginReading(session);
  await checkReadable(session, table, columns, where);
  const rows = selectRows(table, columns, where);
  yield* format === 'csv' ? csv(session, rows, request) : json(session, rows, described, request);
  await doneReading(session);
  await session.run('COMMIT');
}

/** NULL is an empty field, an empty text is `""`, as COPY reads it again. */
async function* csv(session: RowsSession, rows: string, { onRows }: ExportRequest): AsyncGenerator<Buffer> {
  yield* session.copyOut(rows, 'FORMAT csv, HEADER true', onRows);
}

/**
 * One array, an object a row. bigint and numeric are strings: most readers of JSON take its numbers for binary floats, and lose digits without
 * a word.
 */
async function* json(
  session: RowsSession,
  rows: string,
  columns: readonly Column[],
  { onRows }: ExportRequest,
): AsyncGenerator<Buffer> {
  const list = columns.map(({ name, type }) =>
    LONG_NUMBER.test(type) ? `${quoted(name)}::text AS ${quoted(name)}` : quoted(name),
  );
  let count = 0;
  for await (const [text] of session.stream(
    `SELECT row_to_json(r)::text FROM (SELECT ${list.join(', ')} FROM (${rows}) a) r`,
  )) {
    yield Buffer.from(`${count === 0 ? '[\n' : ',\n'}${text}`);
    count++;
  }
  yield Buffer.from(count === 0 ? '[]\n' : '\n]\n');
  onRows(count);
}
