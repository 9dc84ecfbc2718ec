/** Puts the rows of a copy into the tables, in the caller's transaction. What does not fit the tables is refused. */
import type { Hash } from 'node:crypto';
import { sql } from 'kysely';
import { Failure } from '../../base/failure.ts';
import { type CatalogDb, onPostgres } from '../database.ts';
import type { Line } from './read-lines.ts';
import { COPIED, LEFT_OUT } from './tables.ts';

/** What one statement may carry: SQLite takes 32,766 values. */
const VALUES = 30_000;
const ROWS = 500;

type Value = string | number | null;

interface Target {
  readonly name: string;
  readonly columns: readonly string[];
  /** Per column: whether it holds text. */
  readonly text: readonly boolean[];
}

/** Reads on after the header, up to and with the last line. How many rows it put in. */
export async function restoreRows(db: CatalogDb, lines: AsyncIterable<Line>, sum: Hash): Promise<number> {
  const tables = await readTables(db);
  let target: Target | undefined;
  let waiting: Value[][] = [];
  let rows = 0;
  let ended = false;
  const flush = async () => {
    if (target !== undefined && waiting.length > 0) await insert(db, target, waiting);
    waiting = [];
  };
  for await (const { text, raw } of lines) {
    const { row, ...value } = parse(text);
    if (ended) throw damaged('there is more after its end');
    if (row !== undefined) {
      if (target === undefined) throw damaged('rows come before their table');
      waiting.push(checkRow(target, row));
      rows++;
      if (waiting.length >= Math.min(ROWS, Math.floor(VALUES / target.columns.length))) await flush();
    } else if (typeof value.table === 'string') {
      await flush();
      target = findTarget(tables, value.table, value.columns);
    } else {
      await flush();
      if (value.rows !== rows || value.sha256 !== sum.copy().digest('hex')) throw damaged('its checksum is wrong');
      ended = true;
    }
    sum.update(raw);
  }
  if (!ended) throw damaged('its end is missing');
  return rows;
}

/** Empties the tables, or throws `target_exists` where they are not empty and may not be replaced. */
export async function makeRoom(db: CatalogDb, replace: boolean): Promise<void> {
  for (const { name } of COPIED) {
    if (replace) await db.deleteFrom(name).execute();
    else if ((await sql`select 1 from ${sql.table(name)} limit 1`.execute(db)).rows.length > 0) throw occupied();
  }
  if (replace) for (const name of LEFT_OUT) await db.deleteFrom(name).execute();
}

/** Runs that were not over when the copy was made are not begun again, and numbers of events go on where they were. */
export async function settle(db: CatalogDb, now: number): Promise<void> {
  await db
    .updateTable('runs')
    .set({
      state: 'cancelled',
      finished_at: now,
      lease_until: null,
      error_code: 'run_lost',
      error_message: 'The catalog was put back from a copy that was made before this run was over.',
    })
    .where('state', 'in', ['waiting', 'queued', 'running'])
    .execute();
  if (!onPostgres(db)) return;
  await sql`select setval(pg_get_serial_sequence('events', 'seq'), (select coalesce(max(seq), 0) + 1 from events))`.execute(
    db,
  );
}

async function readTables(db: CatalogDb): Promise<ReadonlyMap<string, ReadonlyMap<string, boolean>>> {
  const found = await db.introspection.getTables();
  return new Map(
    found.map(({ name, columns }) => [
      name,
      new Map(columns.map((column) => [column.name, /text/i.test(column.dataType)])),
    ]),
  );
}

function findTarget(tables: ReadonlyMap<string, ReadonlyMap<string, boolean>>, name: string, columns: unknown): Target {
  const known = COPIED.some((table) => table.name === name) ? tables.get(name) : undefined;
  if (known === undefined || !Array.isArray(columns) || columns.length === 0 || columns.length > known.size) {
    throw damaged(`it has a table that is not ours: ${JSON.stringify(name.slice(0, 60))}`);
  }
  const text = columns.map((column) => known.get(column as string));
  if (text.includes(undefined)) throw damaged(`its table "${name}" has columns that are not ours`);
  return { name, columns: columns as string[], text: text as boolean[] };
}

function checkRow({ name, text }: Target, row: readonly unknown[]): Value[] {
  const fits = row.length === text.length && row.every((value, place) => isValue(value, text[place]!));
  if (!fits) throw damaged(`a row of its table "${name}" makes no sense`);
  return row as Value[];
}

function isValue(value: unknown, text: boolean): value is Value {
  return value === null || (text ? typeof value === 'string' && !value.includes('\0') : typeof value === 'number');
}

async function insert(db: CatalogDb, { name, columns }: Target, rows: readonly Value[][]): Promise<void> {
  const names = sql.join(columns.map((column) => sql.ref(column)));
  const values = sql.join(rows.map((row) => sql`(${sql.join(row)})`));
  await sql`insert into ${sql.table(name)} (${names}) values ${values}`.execute(db);
}

interface Parsed {
  readonly row?: readonly unknown[];
  readonly table?: unknown;
  readonly columns?: unknown;
  readonly rows?: unknown;
  readonly sha256?: unknown;
}

function parse(text: string): Parsed {
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return { row: value };
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // told below
  }
  throw damaged('a line of it makes no sense');
}

function damaged(why: string): Failure {
  return new Failure('data_damaged', `The copy of the catalog is not whole: ${why}.`, {
    hint: 'Nothing was changed. Take another copy.',
  });
}

function occupied(): Failure {
  return new Failure('target_exists', 'The catalog is not empty.', {
    hint: 'Give --replace to put the copy in the place of everything that is there.',
  });
}
