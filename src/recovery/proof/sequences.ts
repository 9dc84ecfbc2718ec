/** Sequences against the columns they number: one that lags behind hands out a key that is taken. */
import type { SqlRow } from '../../postgres/sql.ts';
import type { Finding } from './finding.ts';
import { type Asking, ask, type CheckWorld, checkEachDatabase } from './server.ts';

/** Columns that own a sequence (serial, identity), and those whose default takes numbers from one. */
const COLUMNS = `
  WITH numbered AS (
    SELECT objid AS sequence, refobjid AS relation, refobjsubid AS attribute FROM pg_depend
     WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i') AND refobjsubid > 0
    UNION
    SELECT d.refobjid, def.adrelid, def.adnum FROM pg_depend d JOIN pg_attrdef def ON def.oid = d.objid
     WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass)
  SELECT format('%I.%I', sn.nspname, s.relname) AS sequence, format('%I.%I', tn.nspname, t.relname) AS "table",
         format('%I', a.attname) AS "column", seq.seqincrement > 0 AS ascending, seq.seqcycle AS cycles,
         EXISTS (SELECT FROM pg_index i WHERE i.indrelid = t.oid AND i.indisunique AND i.indnkeyatts = 1
                    AND i.indkey[0] = a.attnum AND i.indpred IS NULL) AS is_key
    FROM numbered
    JOIN pg_class s ON s.oid = numbered.sequence AND s.relkind = 'S' AND s.relpersistence <> 't'
    JOIN pg_namespace sn ON sn.oid = s.relnamespace
    JOIN pg_sequence seq ON seq.seqrelid = s.oid
    JOIN pg_class t ON t.oid = numbered.relation AND t.relkind IN ('r', 'p') JOIN pg_namespace tn ON tn.oid = t.relnamespace
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = numbered.attribute
                       AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
   ORDER BY 1, 2, 3`;

export function checkSequences(world: CheckWorld, databases: readonly string[]): Promise<Finding> {
  return checkEachDatabase(world, databases, 'sequences', 'sequences', async (asking) => {
    const rows = await asking.sql.rows(COLUMNS, [], 'Listing the sequences');
    for (const row of rows) await checkOne(asking, row);
  });
}

async function checkOne(asking: Asking, row: SqlRow): Promise<void> {
  const { sql, database, found } = asking;
  const { sequence, table, column } = row;
  const what = `${database}: ${sequence}`;
  if (row.cycles === true) return found.note(`${what}: not looked at, it begins again at its end.`);
  found.count();
  const late = row.ascending === true ? 'used > last' : 'used < last';
  const furthest = row.ascending === true ? 'max' : 'min';
  const answer = await ask(asking, what, async () => {
    const [values] = await sql.rows(
      `SELECT used::text, last::text, ${late} OR (used = last AND NOT called) AS late
         FROM (SELECT ${furthest}(${column}) AS used FROM ${table}) t, (SELECT last_value AS last, is_called AS called FROM ${sequence}) s`,
    );
    return values;
  });
  if (answer?.late !== true) return;
  const says = `${what} stands at ${answer.last}, but ${column} of ${table} has ${answer.used}`;
  if (row.is_key === true) found.problem(`${says}: it will hand out keys that are taken.`);
  else found.note(`${says}; the column is no key.`);
}
