/**
 * A copy of the catalog as lines of text, the same from SQLite and from PostgreSQL: a header, for each table its columns and then its rows
 * as JSON arrays, and at the end how many rows there were and the SHA-256 of all lines before. Made from one moment of the catalog; put
 * back all or nothing.
 */
import { createHash } from 'node:crypto';
import { Failure } from '../base/failure.ts';
import type { Catalog } from './catalog.ts';
import { readLines } from './copy/read-lines.ts';
import { makeRoom, restoreRows, settle } from './copy/restore-rows.ts';
import { rowsOf } from './copy/rows.ts';
import { COPIED, LEFT_OUT } from './copy/tables.ts';
import { frozen } from './database.ts';
import { beginAt, MIGRATIONS, type Migrations, migrateWithin } from './migrations.ts';

export interface CopyOptions {
  /** ms since the epoch. */
  readonly at: number;
  /** `essential`: what the storages cannot tell again, and of long histories only the newest; for a copy in the repository. */
  readonly part: 'whole' | 'essential';
}

export interface CopyReport {
  readonly rows: number;
  /** When the copy was made, ms since the epoch. */
  readonly at: number;
  readonly part: CopyOptions['part'];
}

const FORMAT = 1;
const TABLES = [...COPIED.map(({ name }) => name), ...LEFT_OUT];

/** Hands the lines of a copy to `write`, each with its line feed. The catalog goes on meanwhile, but through other connections. */
export async function copyCatalog(
  catalog: Catalog,
  { at, part }: CopyOptions,
  write: (lines: string) => Promise<void> | void,
): Promise<CopyReport> {
  const sum = createHash('sha256');
  let rows = 0;
  const put = async (lines: string) => {
    sum.update(lines);
    await write(lines);
  };
  await put(line({ holdfast_catalog: FORMAT, migrations: Object.keys(MIGRATIONS), at, part }));
  await frozen(catalog.db, async (db) => {
    for (const table of COPIED) {
      const limit = part === 'whole' ? undefined : table.essential;
      for await (const { columns, values } of rowsOf(db, table, limit)) {
        if (columns !== undefined) await put(line({ table: table.name, columns }));
        await put(values.map(line).join(''));
        rows += values.length;
      }
    }
  });
  await write(line({ rows, sha256: sum.digest('hex') }));
  return { rows, at, part };
}

export interface RestoreOptions {
  /** ms since the epoch. */
  readonly now: number;
  readonly replace: boolean;
  /** Those of this program; others for tests. */
  readonly migrations?: Migrations;
}

/**
 * Puts a copy into a catalog that is empty, or with `replace` in the place of what is there. One of an earlier form is put into tables of
 * that form, which are then brought up to date. Runs that were not over are cancelled: when they were asked for is long ago. Throws
 * `data_damaged` for a copy that is not whole, `catalog_failed` for one of a newer program, with nothing changed.
 */
export async function restoreCatalog(
  catalog: Catalog,
  chunks: AsyncIterable<Uint8Array | string>,
  { now, replace, migrations = MIGRATIONS }: RestoreOptions,
): Promise<CopyReport> {
  return await catalog.transaction(async (db) => {
    const lines = readLines(chunks);
    const { value: first } = await lines.next();
    const { form, at, part } = parseHeader(first?.text, Object.keys(migrations));
    const sum = createHash('sha256').update(first?.raw ?? '');
    await makeRoom(db, replace);
    const isOld = form < Object.keys(migrations).length;
    if (isOld) await beginAt(db, TABLES, migrations, form);
    const rows = await restoreRows(db, lines, sum);
    if (isOld) await migrateWithin(db, migrations);
    await settle(db, now);
    return { rows, at, part };
  });
}

interface Header extends Omit<CopyReport, 'rows'> {
  /** How many of our migrations had made the catalog that was copied. */
  readonly form: number;
}

function parseHeader(text: string | undefined, ours: readonly string[]): Header {
  const header = parseObject(text);
  const { holdfast_catalog: format, migrations, at, part } = header;
  if (typeof format !== 'number' || !Array.isArray(migrations) || !Number.isSafeInteger(at)) {
    throw new Failure('data_damaged', 'This is no copy of a catalog.', {
      hint: 'Give the file that "holdfast catalog export" wrote.',
    });
  }
  const strange = migrations.find((name, place) => name !== ours[place]);
  if (format !== FORMAT || migrations.length === 0 || strange !== undefined) {
    const what = format === FORMAT ? `"${String(strange).slice(0, 60)}"` : `the form ${format}`;
    throw new Failure('catalog_failed', `The copy was made by a newer Holdfast (it has ${what}).`, {
      hint: 'Import it with that version or a newer one.',
    });
  }
  return { form: migrations.length, at: at as number, part: part === 'essential' ? 'essential' : 'whole' };
}

function parseObject(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {}; // told as what it is not
  }
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
