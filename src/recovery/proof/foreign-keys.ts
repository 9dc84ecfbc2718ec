/** Every foreign key of every database: rows that name a row which is not there. */
import type { SqlRow } from '../../postgres/sql.ts';
import type { Finding } from './finding.ts';
import { type Asking, ask, type CheckWorld, checkEachDatabase } from './server.ts';

/** One foreign key, everything quoted as SQL wants it. */
interface ForeignKey {
  readonly name: string;
  readonly child: string;
  readonly parent: string;
  readonly pairs: readonly ColumnPair[];
  readonly matchFull: boolean;
  readonly validated: boolean;
  readonly enforced: boolean;
  /** Of a `PERIOD` key: its last column compares spans of time. */
  readonly temporal: boolean;
}

interface ColumnPair {
  readonly child: string;
  readonly parent: string;
  /** `OPERATOR(schema.=)`, parent's column first. */
  readonly operator: string;
  /** The collation of the parent's column, where the child's differs. */
  readonly collation: string | null;
}

/**
 * Those of partitions are clones of the partitioned table's own: asking that one covers them. `to_jsonb(con)` reads columns that older
 * servers do not have.
 */
const KEYS = `
  SELECT con.conname AS name, con.convalidated AS validated, con.confmatchtype = 'f' AS full,
         coalesce((to_jsonb(con) ->> 'conenforced')::boolean, true) AS enforced,
         coalesce((to_jsonb(con) ->> 'conperiod')::boolean, false) AS temporal,
         CASE WHEN child.relkind = 'p' THEN '' ELSE 'ONLY ' END || format('%I.%I', cn.nspname, child.relname) AS child,
         CASE WHEN parent.relkind = 'p' THEN '' ELSE 'ONLY ' END || format('%I.%I', pn.nspname, parent.relname) AS parent,
         (SELECT jsonb_agg(jsonb_build_object(
                   'child', format('%I', ca.attname), 'parent', format('%I', pa.attname),
                   'operator', format('OPERATOR(%I.%s)', opn.nspname, op.oprname),
                   'collation', CASE WHEN ca.attcollation <> pa.attcollation AND pa.attcollation <> 0
                                     THEN format('%I.%I', coln.nspname, col.collname) END) ORDER BY k.at)
            FROM unnest(con.conkey, con.confkey, con.conpfeqop) WITH ORDINALITY AS k (child, parent, operator, at)
            JOIN pg_attribute ca ON ca.attrelid = con.conrelid AND ca.attnum = k.child
            JOIN pg_attribute pa ON pa.attrelid = con.confrelid AND pa.attnum = k.parent
            JOIN pg_operator op ON op.oid = k.operator
            JOIN pg_namespace opn ON opn.oid = op.oprnamespace
            LEFT JOIN pg_collation col ON col.oid = pa.attcollation
            LEFT JOIN pg_namespace coln ON coln.oid = col.collnamespace) AS pairs
    FROM pg_constraint con
    JOIN pg_class child ON child.oid = con.conrelid JOIN pg_namespace cn ON cn.oid = child.relnamespace
    JOIN pg_class parent ON parent.oid = con.confrelid JOIN pg_namespace pn ON pn.oid = parent.relnamespace
   WHERE con.contype = 'f' AND con.conparentid = 0
   ORDER BY cn.nspname, child.relname, con.conname`;

export function checkForeignKeys(world: CheckWorld, databases: readonly string[]): Promise<Finding> {
  return checkEachDatabase(world, databases, 'foreign keys', 'foreign keys', async (asking) => {
    const rows = await asking.sql.rows(KEYS, [], 'Listing the foreign keys');
    for (const row of rows) await checkKey(asking, keyOf(row));
  });
}

async function checkKey(asking: Asking, key: ForeignKey): Promise<void> {
  const { sql, database, found } = asking;
  const what = `${database}: ${key.name} of ${plain(key.child)}`;
  if (key.temporal) return found.note(`${what}: not looked at, it compares spans of time.`);
  found.count();
  const answer = await ask(asking, what, async () => {
    const [row] = await sql.rows(orphansQuery(key));
    return Number(row?.orphans ?? 0);
  });
  if (answer === undefined || answer === 0) return;
  const says = `${what}: ${answer} rows name rows of ${plain(key.parent)} that are not there`;
  if (!key.enforced) found.note(`${says}; the key is declared NOT ENFORCED.`);
  else if (!key.validated) found.note(`${says}; the key is declared NOT VALID, older rows were never held to it.`);
  else found.problem(`${says}.`);
}

/** The anti-join. MATCH SIMPLE: a null anywhere excuses the row; MATCH FULL: only nulls everywhere do. */
function orphansQuery({ child, parent, pairs, matchFull }: ForeignKey): string {
  const names = pairs.map((pair) => `c.${pair.child}`);
  const joined = pairs.map(({ child: c, parent: p, operator, collation }) => {
    const value = collation === null ? `c.${c}` : `(c.${c} COLLATE ${collation})`;
    return `p.${p} ${operator} ${value}`;
  });
  const given = names.map((name) => `${name} IS NOT NULL`).join(' AND ');
  const absent = `NOT EXISTS (SELECT 1 FROM ${parent} p WHERE ${joined.join(' AND ')})`;
  const some = names.map((name) => `${name} IS NOT NULL`).join(' OR ');
  const mixed = matchFull && pairs.length > 1 ? ` OR ((${some}) AND NOT (${given}))` : '';
  return `SELECT count(*)::text AS orphans FROM ${child} c WHERE (${given} AND ${absent})${mixed}`;
}

function keyOf(row: SqlRow): ForeignKey {
  return {
    name: String(row.name),
    child: String(row.child),
    parent: String(row.parent),
    pairs: row.pairs as ForeignKey['pairs'],
    matchFull: row.full === true,
    validated: row.validated === true,
    enforced: row.enforced === true,
    temporal: row.temporal === true,
  };
}

function plain(table: string): string {
  return table.replace(/^ONLY /, '');
}
