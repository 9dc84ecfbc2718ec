/**
 * PostgreSQL's own verifier, the extension amcheck, made available in the copy. It stays out of the way of the app's names, and goes again
 * when the checks are done: the app's own checks then see the database as it was.
 */
import { asFailure } from '../../base/failure.ts';
import type { SqlSession } from '../../postgres/sql.ts';

export interface Amcheck extends AsyncDisposable {
  /** Quoted name of the function, and whether it also compares unique values; undefined where this version does not have it. */
  readonly btree: { readonly name: string; readonly checksUnique: boolean } | undefined;
  readonly gin: string | undefined;
  readonly heap: string | undefined;
  /** Why there is none of them. */
  readonly absent: string | undefined;
}

const SCHEMA = 'holdfast_amcheck';
const FUNCTIONS = `
  SELECT p.proname AS name, format('%I.%I', n.nspname, p.proname) AS quoted, max(p.pronargs) AS arguments
    FROM pg_extension e
    JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.classid = 'pg_proc'::regclass
    JOIN pg_proc p ON p.oid = d.objid JOIN pg_namespace n ON n.oid = p.pronamespace
   WHERE e.extname = 'amcheck' GROUP BY 1, 2`;
/** `bt_index_check(index, heapallindexed, checkunique)`, from version 1.4 on. */
const WITH_UNIQUE = 3;

/** Uses the extension that is there, or creates it. A copy in which nothing can be created has none. */
export async function openAmcheck(sql: SqlSession): Promise<Amcheck> {
  const [there] = await sql.rows("SELECT 1 FROM pg_extension WHERE extname = 'amcheck'");
  const problem = there === undefined ? await create(sql) : undefined;
  const rows = problem === undefined ? await sql.rows(FUNCTIONS, [], 'Looking for amcheck') : [];
  const named = new Map(rows.map((row) => [String(row.name), row]));
  const quoted = (name: string) => (named.has(name) ? String(named.get(name)?.quoted) : undefined);
  const btree = quoted('bt_index_check');
  return {
    btree:
      btree === undefined
        ? undefined
        : { name: btree, checksUnique: Number(named.get('bt_index_check')?.arguments) >= WITH_UNIQUE },
    gin: quoted('gin_index_check'),
    heap: quoted('verify_heapam'),
    absent: problem,
    [Symbol.asyncDispose]: async () => {
      if (there === undefined && problem === undefined)
        await write(sql, `DROP SCHEMA ${SCHEMA} CASCADE`).catch(() => {});
    },
  };
}

async function create(sql: SqlSession): Promise<string | undefined> {
  try {
    await write(sql, `CREATE SCHEMA ${SCHEMA}; CREATE EXTENSION amcheck SCHEMA ${SCHEMA}`);
    return undefined;
  } catch (error) {
    return asFailure(error).message;
  }
}

async function write(sql: SqlSession, statements: string): Promise<void> {
  await sql.run(`BEGIN READ WRITE; ${statements}; COMMIT`, 'Making amcheck available').catch(async (error: unknown) => {
    await sql.run('ROLLBACK').catch(() => {});
    throw error;
  });
}
