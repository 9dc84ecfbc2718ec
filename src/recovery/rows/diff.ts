/**
 * A table at two moments, compared row by row: both sides are read once, in the order of their keys, side by side. The order is that of the
 * keys' bytes as text, which is the same on every server and here; memory does not grow with the table.
 */
import { Failure } from '../../base/failure.ts';
import { quoted } from '../../postgres/quoting.ts';
import { findTable, readCatalog, refuseHidden, relationOf } from './catalog.ts';
import type { TextRow } from './copy-text.ts';
import { displayName, type TableName } from './quoting.ts';
import { beginReading } from './read.ts';
import type { RowsSession } from './session.ts';
import { describeTable, type Key, type TableDetails } from './table.ts';

export interface RowDifference {
  readonly kind: 'added' | 'removed' | 'changed';
  readonly key: Readonly<Record<string, string | null>>;
  /** Of `changed`: the columns that differ. Of the others: all. `was` is null for an added row, `is` for a removed one. */
  readonly columns: readonly { readonly name: string; readonly was: string | null; readonly is: string | null }[];
}

export interface DiffCounts {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly same: number;
  /** Columns that only one side has; they are not compared. */
  readonly columns_new: readonly string[];
  readonly columns_dropped: readonly string[];
}

/** Each difference goes to `onDifference`, in the order of the keys. Throws `table_unknown`, `rows_refused`. */
export async function diffTable(
  before: RowsSession,
  after: RowsSession,
  table: TableName,
  onDifference: (difference: RowDifference) => void | Promise<void>,
): Promise<DiffCounts> {
  const [past, now] = [await sideOf(before, table), await sideOf(after, table)];
  const key = past.key && [now.key, ...now.unique].find((each) => sameColumns(each, past.key));
  if (past.key === undefined || key === undefined) {
    throw new Failure(
      'rows_refused',
      `${displayName(table)} has no key by which its rows could be told apart at both moments.`,
      {
        hint: 'Export both with --to FILE.csv and compare the files.',
      },
    );
  }
  const columns = compareColumns(past, now);
  const counts = { added: 0, removed: 0, changed: 0, same: 0 };
  const left = new Side(before.stream(query(past, past.key)), past, past.key);
  const right = new Side(after.stream(query(now, past.key)), now, past.key);
  await Promise.all([left.next(), right.next()]);
  while (left.row !== undefined || right.row !== undefined) {
    const order = compareKeys(left.key, right.key);
    const difference = differenceOf(order, left, right, columns.shared);
    counts[difference?.kind ?? 'same'] += 1;
    if (difference !== undefined) await onDifference(difference);
    await Promise.all([order <= 0 ? left.next() : undefined, order >= 0 ? right.next() : undefined]);
  }
  return { ...counts, columns_new: columns.added, columns_dropped: columns.dropped };
}

function sameColumns(a: Key | undefined, b: Key | undefined): boolean {
  return JSON.stringify(a?.columns) === JSON.stringify(b?.columns);
}

function compareColumns(past: TableDetails, now: TableDetails) {
  const [before, after] = [past, now].map(({ columns }) => columns.map(({ name }) => name)) as [string[], string[]];
  return {
    shared: after.filter((name) => before.includes(name)),
    added: after.filter((name) => !before.includes(name)),
    dropped: before.filter((name) => !after.includes(name)),
  };
}

async function sideOf(session: RowsSession, name: TableName): Promise<TableDetails> {
  const catalog = await readCatalog(session);
  const table = findTable(catalog, name);
  if (table === undefined)
    throw new Failure('table_unknown', `There is no table ${displayName(name)} at both moments.`);
  refuseHidden(table, session.settings.user, 'at one of the moments');
  await beginReading(session);
  return describeTable(session, table);
}

/** The key as text first, then every column. */
function query({ table, columns }: TableDetails, key: Key): string {
  const keys = key.columns.map((name, at) => `${quoted(name)}::text COLLATE "C" AS "k${at}"`);
  const order = keys.map((_, at) => at + 1).join(', ');
  const values = columns.map(({ name }) => quoted(name));
  return `SELECT ${[...keys, ...values].join(', ')} FROM ${relationOf(table)} ORDER BY ${order}`;
}

/** One of the two streams, and the row it stands at. */
class Side {
  readonly #rows: AsyncGenerator<TextRow, void, undefined>;
  readonly #keys: number;
  readonly names: readonly string[];
  readonly #keyNames: readonly string[];
  row: TextRow | undefined;

  constructor(rows: AsyncGenerator<TextRow, void, undefined>, { columns }: TableDetails, key: Key) {
    this.#rows = rows;
    this.#keys = key.columns.length;
    this.#keyNames = key.columns;
    this.names = columns.map(({ name }) => name);
  }

  async next(): Promise<void> {
    const { value, done } = await this.#rows.next();
    this.row = done ? undefined : (value ?? undefined);
  }

  get key(): readonly string[] | undefined {
    return this.row?.slice(0, this.#keys).map((part) => part ?? '');
  }

  keyRecord(): Record<string, string | null> {
    return Object.fromEntries(this.#keyNames.map((name, at) => [name, this.row?.[at] ?? null]));
  }

  value(name: string): string | null {
    const at = this.names.indexOf(name);
    return at < 0 ? null : (this.row?.[this.#keys + at] ?? null);
  }
}

/** Below 0: only the left side has the next key. A side that has ended comes last. */
function compareKeys(left: readonly string[] | undefined, right: readonly string[] | undefined): number {
  if (left === undefined) return 1;
  if (right === undefined) return -1;
  for (const [at, part] of left.entries()) {
    const order = Buffer.compare(Buffer.from(part), Buffer.from(right[at] ?? ''));
    if (order !== 0) return order;
  }
  return 0;
}

function differenceOf(order: number, left: Side, right: Side, shared: readonly string[]): RowDifference | undefined {
  if (order < 0)
    return {
      kind: 'removed',
      key: left.keyRecord(),
      columns: left.names.map((name) => ({ name, was: left.value(name), is: null })),
    };
  if (order > 0)
    return {
      kind: 'added',
      key: right.keyRecord(),
      columns: right.names.map((name) => ({ name, was: null, is: right.value(name) })),
    };
  const columns = shared.flatMap((name) => {
    const [was, is] = [left.value(name), right.value(name)];
    return was === is ? [] : [{ name, was, is }];
  });
  return columns.length === 0 ? undefined : { kind: 'changed', key: right.keyRecord(), columns };
}
