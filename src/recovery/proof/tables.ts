/**
 * The inside of every table, catalogues and values stored out of line included: with amcheck every row's header, its transactions and its
 * out-of-line values are verified; without, every page is read through the server, which refuses damaged ones.
 */
import type { SqlRow, SqlSession } from '../../postgres/sql.ts';
import { openAmcheck } from './amcheck.ts';
import type { Collector, Finding } from './finding.ts';
import { ask, type CheckWorld, checkEachDatabase } from './server.ts';

const TABLES = `
  SELECT c.oid::text AS oid, format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am am ON am.oid = c.relam
   WHERE c.relkind IN ('r', 'm', 't') AND c.relpersistence = 'p' AND am.amname = 'heap' ORDER BY 2`;
const SHOWN = 3;

export function checkTables(world: CheckWorld, databases: readonly string[]): Promise<Finding> {
  return checkEachDatabase(world, databases, 'tables', 'tables', async (asking) => {
    const { sql, database, found } = asking;
    const tables = await sql.rows(TABLES, [], 'Listing the tables');
    await using amcheck = await openAmcheck(sql);
    if (amcheck.heap === undefined)
      found.note(`${database}: without amcheck: every table was read through the server.`);
    for (const table of tables) {
      found.count();
      const what = `${database}: ${table.name}`;
      const damage = await ask(asking, what, () => verifyTable(sql, table, amcheck.heap));
      tell(what, damage ?? [], found);
    }
  });
}

/** The first rows that amcheck complains of; none where reading everything is all that can be done. */
async function verifyTable(
  sql: SqlSession,
  { oid, name }: SqlRow,
  heap: string | undefined,
): Promise<readonly SqlRow[]> {
  if (heap === undefined) {
    await sql.rows(`SELECT count(*) FROM ONLY ${name}`);
    return [];
  }
  return sql.rows(
    `SELECT blkno, offnum, msg, count(*) OVER () AS total FROM ${heap}(relation => $1::oid::regclass, check_toast => true) LIMIT ${SHOWN}`,
    [oid],
  );
}

function tell(what: string, damage: readonly SqlRow[], found: Collector): void {
  const [first] = damage;
  if (first === undefined) return;
  const places = damage.map(({ blkno, offnum, msg }) => `page ${blkno}, row ${offnum ?? '–'}: ${msg}`);
  found.problem(`${what}: ${first.total} damaged places: ${places.join('; ')}`);
}
