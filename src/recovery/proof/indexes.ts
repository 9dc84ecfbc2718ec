/**
 * Indexes against their tables. With amcheck: the order within every B-tree, and that every row of the table is in it; the structure of GIN
 * indexes where its version knows them. Without: every B-tree is read in its order and its entries are counted against the table.
 */
import type { SqlRow, SqlSession } from '../../postgres/sql.ts';
import { type Amcheck, openAmcheck } from './amcheck.ts';
import { noteInvalidIndexes } from './catalogue.ts';
import type { Finding } from './finding.ts';
import { countByIndex } from './index-scan.ts';
import { type Asking, ask, type CheckWorld, checkEachDatabase } from './server.ts';

/** What orders an index must be of the version that built it: on another, a difference says nothing of the copy. */
const INDEXES = `
  SELECT i.indexrelid::text AS oid, format('%I.%I', n.nspname, c.relname) AS name, am.amname AS kind,
         EXISTS (SELECT FROM unnest(i.indcollation) used
                   LEFT JOIN pg_collation col ON col.oid = used
                   LEFT JOIN pg_database d ON d.datname = current_database() AND col.collprovider = 'd'
                  WHERE used <> 0
                    AND coalesce(col.collversion, d.datcollversion) IS DISTINCT FROM
                        CASE WHEN col.collprovider = 'd' THEN pg_database_collation_actual_version(d.oid)
                             ELSE pg_collation_actual_version(col.oid) END
                    AND coalesce(col.collversion, d.datcollversion) IS NOT NULL) AS foreign_order
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_am am ON am.oid = c.relam
   WHERE c.relkind = 'i' AND c.relpersistence = 'p' AND i.indisvalid AND i.indisready
   ORDER BY 2`;

export function checkIndexes(world: CheckWorld, databases: readonly string[]): Promise<Finding> {
  return checkEachDatabase(world, databases, 'indexes', 'indexes', async (asking) => {
    const { sql, database, found } = asking;
    await noteInvalidIndexes(asking);
    const indexes = await sql.rows(INDEXES, [], 'Listing the indexes');
    await using amcheck = await openAmcheck(sql);
    if (amcheck.absent !== undefined)
      found.note(`${database}: without amcheck (${amcheck.absent}): B-trees were read in order and counted.`);
    const others = new Map<string, number>();
    for (const index of indexes) {
      if (await checkIndex(asking, index, amcheck)) found.count();
      else others.set(String(index.kind), (others.get(String(index.kind)) ?? 0) + 1);
    }
    for (const [kind, count] of others)
      found.note(`${database}: ${count} ${kind} indexes: only their pages were read.`);
  });
}

/** False for a kind of index that cannot be compared with its table. */
async function checkIndex(asking: Asking, index: SqlRow, amcheck: Amcheck): Promise<boolean> {
  const { sql, database, found } = asking;
  const question = questionFor(sql, index, amcheck);
  if (question === undefined) return false;
  const what = `${database}: ${index.name}`;
  if (index.foreign_order === true) {
    found.note(`${what}: not compared, this machine orders its text in another way; rebuild it after a restore here.`);
    return true;
  }
  const problem = await ask(asking, what, question);
  if (problem !== undefined && problem !== '') found.problem(`${what}: ${problem}`);
  return true;
}

/** Asks the server; an empty answer means that all is well. */
function questionFor(sql: SqlSession, { oid, kind }: SqlRow, amcheck: Amcheck): (() => Promise<string>) | undefined {
  if (kind === 'gin' && amcheck.gin !== undefined) return () => verify(sql, `${amcheck.gin}($1::oid::regclass)`, oid);
  if (kind !== 'btree') return undefined;
  const { btree } = amcheck;
  if (btree === undefined) return () => countByIndex(sql, String(oid));
  const unique = btree.checksUnique ? ', checkunique => true' : '';
  return () => verify(sql, `${btree.name}(index => $1::oid::regclass, heapallindexed => true${unique})`, oid);
}

async function verify(sql: SqlSession, call: string, oid: unknown): Promise<string> {
  await sql.rows(`SELECT ${call}`, [oid]);
  return '';
}
