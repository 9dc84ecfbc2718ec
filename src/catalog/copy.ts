/**
 * A copy of the catalog as lines of text, the same from SQLite and from PostgreSQL: a header, for each table its columns and then its rows
 * as JSON arrays, and at the end how many rows there were and the SHA-256 of all lines before. Made from one moment of the catalog; put
 * back all or nothing.
 */
import { createHash } from 'node:crypto';
import { Failure } from '../base/failure.ts';
import type { Catalog } from './catalog.ts';
import { readLines } from './copy/read-lines.ts';
import { restoreRows } from './copy/restore-rows.ts';
import { rowsOf } from './copy/rows.ts';
import { COPIED } from './copy/tables.ts';
import { frozen } from './database.ts';
import { MIGRATIONS } from './migrations.ts';

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

/**
 * Puts a copy into a catalog that is empty, or with `replace` in the place of what is there. Runs that were not over are cancelled: when
 * they were asked for is long ago. Throws `data_damaged` for a copy that is not whole, with nothing changed.
 */
export async function restoreCatalog(
  catalog: Catalog,
  chunks: AsyncIterable<Uint8Array | string>,
  { now, replace }: { readonly now: number; readonly replace: boolean },
): Promise<CopyReport> {
  return await catalog.transaction(async (db) => {
    const lines = readLines(chunks);
    const { value: first } = await lines.next();
    const header = parseHeader(first?.text);
    const sum = createHash('sha256').update(first?.raw ?? '');
    const rows = await restoreRows(db, lines, sum, { now, replace });
    return { rows, at: header.at, part: header.part };
  });
}

function parseHeader(text: string | undefined): Omit<CopyReport, 'rows'> {
  const header = parseObject(text);
  const { holdfast_catalog: format, migrations, at, part } = header;
  if (typeof format !== 'number' || !Array.isArray(migrations) || !Number.isSafeInteger(at)) {
    throw new Failure('data_damaged', 'This is no copy of a catalog.', {
      hint: 'Give the file that "holdfast catalog export" wrote.',
    });
  }
  if (format !== FORMAT || migrations.join() !== Object.keys(MIGRATIONS).join()) {
    throw new Failure('catalog_failed', 'The copy was made by another version of Holdfast.', {
      hint: 'Import it with that version, then start this one: it brings the catalog up to date.',
    });
  }
  return { at: at as number, part: part === 'essential' ? 'essential' : 'whole' };
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
