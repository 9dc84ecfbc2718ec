/**
 * A table that no longer exists is made again from its definition then: columns, defaults, constraints, indexes, triggers. `pg_dump` writes
 * the definition; without it the merge is refused.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../base/failure.ts';
import type { ConnectionSettings } from '../../postgres/connection-settings.ts';
import { runProgram } from '../../postgres/run-program.ts';
import { type Catalog, findTable, readCatalog, type TableEntry } from './catalog.ts';
import { displayName, quotedTable, sameTable } from './quoting.ts';
import { EXACT_SETTINGS, type RowsSession } from './session.ts';

/** Finds a `pg_dump` that understands a server of this major version; undefined when there is none. */
export type DumpProgram = (major: number) => Promise<string | undefined>;

export interface Created {
  /** Display names of the tables made. */
  readonly names: ReadonlySet<string>;
  readonly notes: readonly string[];
}

/** Makes the selected tables that now lacks, in the open transaction. */
export async function createMissing(
  sides: { readonly past: RowsSession; readonly now: RowsSession; readonly pastCatalog: Catalog },
  selected: readonly TableEntry[],
  program: DumpProgram,
): Promise<Created> {
  const { past, now, pastCatalog } = sides;
  const nowCatalog = await readCatalog(now);
  const roots = selected.map(({ root }) => findTable(pastCatalog, root)!);
  const missing = [...new Set(roots)].filter((table) => !findTable(nowCatalog, table));
  if (missing.length === 0) return { names: new Set(), notes: [] };
  const names = missing.map(displayName).join(', ');
  const pgDump = await program(pastCatalog.major);
  if (pgDump === undefined) {
    throw new Failure(
      'rows_refused',
      `${names} does not exist now, and pg_dump of PostgreSQL ${pastCatalog.major} is not here to make it again.`,
      {
        hint:
          `Install it (Debian: apt-get install postgresql-client-${pastCatalog.major}). Or start "holdfast sandbox" at that moment ` +
          'and run pg_dump --schema-only --table against its URL from a machine that has it.',
      },
    );
  }
  const partitions = pastCatalog.tables.filter((table) => missing.some((each) => sameTable(each, table.root)));
  const definition = await dumpDefinition(pgDump, past.settings, partitions);
  await run(now, missing, statements(definition));
  return { names: new Set(missing.map(displayName)), notes: lostKeys(pastCatalog, nowCatalog, missing) };
}

/** A name with a `=` in it would be taken for a connection string, which may lead to another server. */
function nameOnly(database: string): string {
  return `dbname='${database.replace(/['\\]/g, '\\$&')}'`;
}

async function dumpDefinition(
  pgDump: string,
  settings: ConnectionSettings,
  tables: readonly TableEntry[],
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hf-dump-'));
  try {
    const file = join(directory, 'definition.sql');
    const done = await runProgram(pgDump, [
      ...[
        '--schema-only',
        '--no-owner',
        '--no-privileges',
        '--no-tablespaces',
        '--no-security-labels',
        '--no-publications',
      ],
      ...['--strict-names', '--no-password', '--encoding=UTF8', `--file=${file}`],
      ...tables.map((table) => `--table=${quotedTable(table)}`),
      ...['-h', settings.host, '-p', String(settings.port), '-U', settings.user, '-d', nameOnly(settings.database)],
    ]);
    if (done.code !== 0) {
      throw new Failure(
        'rows_refused',
        `pg_dump could not read the definition: ${done.output.trim().split('\n').at(-1)}`,
      );
    }
    return await readFile(file, 'utf8');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** What psql would take out (`\restrict`), and the settings of the session at the beginning, which are ours to make. */
function statements(definition: string): string {
  const body = definition.indexOf('\n-- Name: ');
  return definition.slice(Math.max(0, body)).replace(/^\\unrestrict .*$/m, '');
}

async function run(now: RowsSession, tables: readonly TableEntry[], sql: string): Promise<void> {
  const schemas = [...new Set(tables.map(({ schema }) => schema))];
  try {
    for (const schema of schemas) await now.run(`CREATE SCHEMA IF NOT EXISTS "${schema.replaceAll('"', '""')}"`);
    await now.run(`SET LOCAL search_path = ''; SET LOCAL check_function_bodies = off; ${sql}`);
  } catch (error) {
    const { message } = error as Failure;
    throw new Failure('rows_refused', `${tables.map(displayName).join(', ')} cannot be made again: ${message}.`, {
      hint: 'Types, functions and roles that its definition needs must exist. Make the table by hand, then merge its rows.',
      cause: error,
    });
  }
  await now.run(
    Object.entries(EXACT_SETTINGS)
      .map(([name, value]) => `SET ${name} = '${value}'`)
      .join('; '),
  );
}

/** Foreign keys of tables that stand, which went with the table: they are not made again, and that must be known. */
function lostKeys(past: Catalog, now: Catalog, missing: readonly TableEntry[]): readonly string[] {
  return past.foreignKeys
    .filter(({ parent, child }) => missing.some((table) => sameTable(table, parent)) && findTable(now, child))
    .map(
      ({ name, parent, child }) =>
        `Foreign key "${name}" of ${displayName(child)} referenced ${displayName(parent)}; it is not made again.`,
    );
}
