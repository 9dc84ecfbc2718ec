/**
 * What a copy needs of the machine that it runs on: libraries of its extensions, the versions of the libraries that order text. And what
 * its own catalogue says is not usable: invalid indexes.
 */
import { asFailure } from '../../base/failure.ts';
import type { ExtensionFacts } from '../../postgres/facts.ts';
import { sqlstateOf } from '../../postgres/server-error.ts';
import type { Finding } from './finding.ts';
import { type Asking, type CheckWorld, checkEachDatabase } from './server.ts';

const EXTENSIONS = 'SELECT extname, extversion FROM pg_extension ORDER BY extname';
/** Libraries that functions of extensions, and others, are in. */
const LIBRARIES = `
  SELECT DISTINCT p.probin AS library FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
   WHERE l.lanname = 'c' AND p.probin IS NOT NULL ORDER BY 1`;

/** Every extension that the manifest lists is there, and every library that functions need can be loaded here. */
export function checkExtensions(
  world: CheckWorld,
  databases: readonly string[],
  expected: readonly ExtensionFacts[],
): Promise<Finding> {
  return checkEachDatabase(world, databases, 'extensions', 'extensions', async (asking) => {
    const { sql, database, found } = asking;
    const rows = await sql.rows(EXTENSIONS, [], 'Listing the extensions');
    found.count(rows.length);
    const there = new Set(rows.map(({ extname }) => String(extname)));
    for (const { name, version } of expected.filter((each) => each.database === database)) {
      if (!there.has(name))
        found.problem(`${database}: the extension ${name} ${version} of the manifest is not there.`);
    }
    const libraries = await sql.rows(LIBRARIES, [], 'Listing the libraries');
    for (const { library } of libraries) await loadLibrary(asking, String(library));
  });
}

async function loadLibrary({ world, sql, database, found }: Asking, library: string): Promise<void> {
  try {
    await sql.run(`LOAD '${library.replaceAll("'", "''")}'`, `Loading ${library}`);
  } catch (error) {
    world.signal.throwIfAborted();
    const failure = asFailure(error);
    if (sqlstateOf(failure) === '') throw failure;
    found.missingHere(`${database}: ${failure.message}. Its functions do not work on this machine.`);
  }
}

/** Collations whose library is of another version here: what they ordered may be in another order now. */
const MISMATCHES = `
  SELECT 'the database' AS what, datcollversion AS recorded, pg_database_collation_actual_version(oid) AS actual
    FROM pg_database WHERE datname = current_database()
     AND datcollversion IS DISTINCT FROM pg_database_collation_actual_version(oid) AND datcollversion IS NOT NULL
  UNION ALL
  SELECT format('collation %I.%I', n.nspname, c.collname), c.collversion, pg_collation_actual_version(c.oid)
    FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
   WHERE c.collversion IS NOT NULL AND c.collversion IS DISTINCT FROM pg_collation_actual_version(c.oid)
     AND EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_collation'::regclass AND d.refobjid = c.oid)`;

export function checkCollations(world: CheckWorld, databases: readonly string[]): Promise<Finding> {
  return checkEachDatabase(world, databases, 'collations', 'databases', async ({ sql, database, found }) => {
    found.count();
    for (const { what, recorded, actual } of await sql.rows(MISMATCHES, [], 'Comparing collation versions')) {
      found.note(
        `${database}: ${what} was made with version ${recorded} of its library, this machine has ${actual ?? 'none'}: ` +
          'indexes over it must be rebuilt after a restore to such a machine.',
      );
    }
  });
}

const INVALID = `
  SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT (i.indisvalid AND i.indisready AND i.indislive) ORDER BY 1`;

/** Told, not failed: the server that was backed up does not use them either. */
export async function noteInvalidIndexes({ sql, database, found }: Asking): Promise<void> {
  for (const { name } of await sql.rows(INVALID, [], 'Listing invalid indexes')) {
    found.note(`${database}: the index ${name} is marked invalid, as it was on the server: rebuild or drop it there.`);
  }
}
