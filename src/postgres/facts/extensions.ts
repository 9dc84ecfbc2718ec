/** Extensions of every database, and the collation versions under which indexes of one were built: what a restoring machine must have. */
import { asFailure } from '../../base/failure.ts';
import type { ConnectionSettings } from '../connection-settings.ts';
import { SqlSession } from '../sql.ts';
import type { DatabaseFacts } from './databases.ts';

export interface ExtensionFacts {
  readonly database: string;
  readonly name: string;
  readonly version: string;
}

export interface CollationFacts {
  readonly database: string;
  /** `libc`, `icu` or `builtin`. */
  readonly provider: string;
  readonly version: string;
}

export interface ExtensionOptions {
  readonly signal: AbortSignal | undefined;
  /** Databases that could not be asked are told here. */
  readonly notes: string[];
}

/** More databases than this are not asked one by one. */
const MAX_DATABASES = 200;
const QUERY = 'SELECT extname, extversion FROM pg_extension ORDER BY extname';

/** Asks the open session's database through `sql`, the others through connections of their own, one at a time. */
export async function readExtensions(
  sql: SqlSession,
  settings: ConnectionSettings,
  databases: readonly DatabaseFacts[],
  { signal, notes }: ExtensionOptions,
): Promise<readonly ExtensionFacts[]> {
  const found = await extensionsOf(sql, settings.database);
  const others = databases.filter((database) => !database.template && database.name !== settings.database);
  if (others.length > MAX_DATABASES)
    notes.push(`Extensions were read in ${MAX_DATABASES} of ${others.length + 1} databases.`);
  for (const { name } of others.slice(0, MAX_DATABASES)) {
    try {
      await using other = await SqlSession.open({ ...settings, database: name }, { signal });
      found.push(...(await extensionsOf(other, name)));
    } catch (error) {
      signal?.throwIfAborted();
      notes.push(`Extensions of database "${name}" are unknown: ${asFailure(error).message}`);
    }
  }
  return found;
}

async function extensionsOf(sql: SqlSession, database: string): Promise<ExtensionFacts[]> {
  const rows = await sql.rows(QUERY, [], 'Reading the extensions');
  return rows.map((row) => ({ database, name: String(row.extname), version: String(row.extversion) }));
}

export async function readCollations(sql: SqlSession, database: string): Promise<readonly CollationFacts[]> {
  const rows = await sql.rows(
    `SELECT DISTINCT CASE collprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' ELSE 'builtin' END AS provider, collversion
       FROM pg_collation WHERE collversion IS NOT NULL ORDER BY 1, 2`,
    [],
    'Reading the collation versions',
  );
  return rows.map((row) => ({ database, provider: String(row.provider), version: String(row.collversion) }));
}
