/**
 * The second best: reads a B-tree from end to end, in its order, and counts what it leads to against what the table itself has. It sees
 * unreadable pages, lost and superfluous entries, and values out of order. Nothing is rebuilt.
 */
import type { SqlSession } from '../../postgres/sql.ts';

const DEFINITION = `
  SELECT format('%I.%I', n.nspname, t.relname) AS "table", c.relname AS name, pg_get_expr(i.indpred, i.indrelid) AS condition,
         (SELECT array_agg(pg_get_indexdef(i.indexrelid, k, true)
                           || CASE WHEN i.indoption[k - 1] & 1 = 1 THEN ' DESC' ELSE ' ASC' END
                           || CASE WHEN i.indoption[k - 1] & 2 = 2 THEN ' NULLS FIRST' ELSE ' NULLS LAST' END ORDER BY k)
            FROM generate_series(1, i.indnkeyatts) k) AS columns
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = t.relnamespace WHERE i.indexrelid = $1::oid`;
const ONLY_INDEXES = `SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off;
  SET LOCAL enable_incremental_sort = off; SET LOCAL max_parallel_workers_per_gather = 0`;
const NO_INDEXES =
  'SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off';

/** What is wrong with the index of this object id; empty when nothing is, or when the server would not use it for its own order. */
export async function countByIndex(sql: SqlSession, oid: string): Promise<string> {
  const [index] = await sql.rows(DEFINITION, [oid]);
  if (index === undefined) return '';
  const where = index.condition === null ? '' : ` WHERE ${index.condition}`;
  const columns = index.columns as readonly string[];
  const ordered = `SELECT 1 FROM ONLY ${index.table}${where} ORDER BY ${columns.join(', ')}`;
  await sql.run(`BEGIN; ${ONLY_INDEXES}`);
  try {
    const plan = await sql.rows(`EXPLAIN (FORMAT JSON) ${ordered}`);
    if (!JSON.stringify(plan).includes(`"Index Name":${JSON.stringify(index.name)}`)) return '';
    const [byIndex] = await sql.rows(`SELECT count(*)::text AS n FROM (${ordered}) entries`);
    await sql.run(NO_INDEXES);
    const [byTable] = await sql.rows(`SELECT count(*)::text AS n FROM ONLY ${index.table}${where}`);
    return byIndex?.n === byTable?.n ? '' : `leads to ${byIndex?.n} rows, the table has ${byTable?.n}.`;
  } finally {
    await sql.run('ROLLBACK');
  }
}
