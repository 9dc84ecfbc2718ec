/** How a table then fits the same table now: which columns can be compared, which can be written, and why a merge is impossible. */
import { Failure } from '../../base/failure.ts';
import { displayName, typedLiteral } from './quoting.ts';
import type { RowsSession } from './session.ts';
import type { Column, Key, TableDetails } from './table.ts';

/** One column that both sides have. In temporary tables it is called `alias`, so that no name can clash. */
export interface SharedColumn {
  readonly name: string;
  readonly alias: string;
  readonly past: Column;
  readonly now: Column;
  /** False for what the server computes itself. */
  readonly written: boolean;
  /** Part of the key. */
  readonly isKey: boolean;
}

export interface Shape {
  readonly past: TableDetails;
  readonly now: TableDetails;
  readonly columns: readonly SharedColumn[];
  readonly key: Key;
  /** The columns of the key, in its order. */
  readonly keyColumns: readonly SharedColumn[];
  /** Columns that came since: they take their default. */
  readonly added: readonly string[];
  /** Columns that are gone: their values have no place. */
  readonly dropped: readonly string[];
}

/** Throws `rows_refused` when rows of then have no place in the table of now; the message says what to do. */
export async function matchShapes(past: TableDetails, now: TableDetails, session: RowsSession): Promise<Shape> {
  const name = displayName(now.table);
  const key = chooseKey(past, now);
  if (key === undefined) {
    throw new Failure(
      'rows_refused',
      `${name} has no primary key and no unique key without NULLs: its rows cannot be told apart.`,
      {
        hint: 'Export the rows with --to FILE.csv, or add a key to the table.',
      },
    );
  }
  const columns = sharedColumns(past, now, key);
  await refuseOtherTypes(columns, name, session);
  const added = now.columns.filter((column) => !past.columns.some((other) => other.name === column.name));
  const impossible = added.find(
    ({ notNull, hasDefault, generated, identity }) => notNull && !hasDefault && !generated && !identity,
  );
  if (impossible) {
    throw new Failure(
      'rows_refused',
      `Column "${impossible.name}" of ${name} is new, must not be NULL and has no default.`,
      {
        hint: 'Give the column a default for the time of the merge, or export the rows with --to FILE.csv.',
      },
    );
  }
  const dropped = past.columns.filter((column) => !now.columns.some((other) => other.name === column.name));
  return {
    ...{ past, now, columns, key },
    keyColumns: key.columns.map((column) => columns.find((each) => each.name === column)!),
    added: added.filter(({ generated }) => !generated).map((column) => column.name),
    dropped: dropped.map((column) => column.name),
  };
}

/** A key of now whose columns were there then. */
function chooseKey(past: TableDetails, now: TableDetails): Key | undefined {
  const had = new Set(past.columns.map((column) => column.name));
  const notNull = (name: string) => now.columns.find((column) => column.name === name)?.notNull === true;
  return [...(now.key ? [now.key] : []), ...now.unique].find(({ columns }) =>
    columns.every((column) => had.has(column) && notNull(column)),
  );
}

function sharedColumns(past: TableDetails, now: TableDetails, key: Key): readonly SharedColumn[] {
  return now.columns
    .flatMap((column) => {
      const before = past.columns.find((other) => other.name === column.name);
      return before === undefined ? [] : [{ name: column.name, past: before, now: column }];
    })
    .map((column, at) => ({
      ...column,
      alias: `c${at + 1}`,
      written: !column.now.generated,
      isKey: key.columns.includes(column.name),
    }));
}

/** Types may have been widened since (integer to bigint, varchar to text); anything else may read the same text as another value. */
async function refuseOtherTypes(columns: readonly SharedColumn[], table: string, session: RowsSession): Promise<void> {
  for (const column of columns) {
    const [before, after] = [bare(column.past.type), bare(column.now.type)];
    if (before === after || (await widens(before, column.now.typeOid, session))) continue;
    throw new Failure(
      'rows_refused',
      `Column "${column.name}" of ${table} was ${column.past.type} and is ${column.now.type} now.`,
      { hint: 'Export the rows with --to FILE.csv and convert them.' },
    );
  }
}

/** The type without length and precision: a value that is too long now is refused by the server, with its own words. */
function bare(type: string): string {
  return type.replace(/\(\d+(?:,-?\d+)?\)/, '');
}

/** Whether the database converts the type by itself without loss. Left out: to
 * times with a zone (it depends on the zone of whoever asks) and to floating point. */
async function widens(before: string, after: string, session: RowsSession): Promise<boolean> {
  const found = await session.value(
    `SELECT true FROM pg_cast c WHERE c.castsource = to_regtype(${typedLiteral(before, 'text')}) AND c.casttarget = $1::oid
        AND c.castcontext = 'i'
        AND c.casttarget NOT IN ('timestamptz'::regtype, 'timetz'::regtype, 'float4'::regtype, 'float8'::regtype, 'regclass'::regtype)`,
    [after],
  );
  return found !== null;
}
