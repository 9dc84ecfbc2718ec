/** Sequences behind columns that got values from then are moved forward, so that the next insert does not meet one of them. */
import { quoted } from '../../postgres/quoting.ts';
import type { RowsSession, SqlRow } from './session.ts';
import type { Stage } from './stage.ts';

export interface MovedSequence {
  /** Quoted and qualified, for SQL. */
  readonly sequence: string;
  /** The state before, and the value set. */
  readonly before: { readonly value: string; readonly called: boolean };
  readonly after: string;
}

/** Not transactional in PostgreSQL: call it last. Moving forward is harmless when the transaction fails after all. */
export async function moveSequences(now: RowsSession, stages: readonly Stage[]): Promise<readonly MovedSequence[]> {
  const moved: MovedSequence[] = [];
  for (const stage of stages) {
    for (const { column, sequence } of await sequencesOf(now, stage)) {
      const shared = stage.shape.columns.find(({ name }) => name === column);
      const change = shared && (await move(now, stage, shared.alias, sequence));
      if (change) moved.push(change);
    }
  }
  return moved;
}

/** Sequences that a column of numbers owns (serial, identity) or draws from in its default. Numbers inside text are nobody's to take out. */
async function sequencesOf(now: RowsSession, stage: Stage) {
  const rows = await now.rows(
    `WITH a AS (
       SELECT a.* FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
        WHERE a.attrelid = $1::oid AND coalesce(nullif(y.typbasetype, 0), y.oid) IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype))
     SELECT a.attname, n.nspname, s.relname FROM a
       JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
            AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i')
       JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace
     UNION
     SELECT a.attname, n.nspname, s.relname FROM a
       JOIN pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum
       JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = ad.oid AND d.refclassid = 'pg_class'::regclass
       JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace`,
    [stage.table.oid],
  );
  return rows.map((row) => ({ column: row.attname!, sequence: `${quoted(row.nspname!)}.${quoted(row.relname!)}` }));
}

async function move(
  now: RowsSession,
  stage: Stage,
  alias: string,
  sequence: string,
): Promise<MovedSequence | undefined> {
  const [state] = await now.rows(
    `SELECT q.last_value::text AS value, q.is_called AS called, d.seqincrement > 0 AS up, m.high, m.low,
            CASE WHEN d.seqincrement > 0 THEN m.high >= q.last_value + CASE WHEN q.is_called THEN d.seqincrement ELSE 0 END
                 ELSE m.low <= q.last_value + CASE WHEN q.is_called THEN d.seqincrement ELSE 0 END END AS behind,
            CASE WHEN d.seqincrement > 0 THEN m.high <= d.seqmax ELSE m.low >= d.seqmin END AS possible
       FROM ${sequence} q JOIN pg_sequence d ON d.seqrelid = q.tableoid
       CROSS JOIN (SELECT max(s.${alias})::numeric AS high, min(s.${alias})::numeric AS low FROM ${stage.name} s WHERE s.status = 'missing') m`,
  );
  if (state?.behind !== 't' || state.possible !== 't') return undefined;
  const after = String(state.up === 't' ? state.high : state.low);
  const still = state.up === 't' ? `last_value <= ${after}` : `last_value >= ${after}`;
  await now.run(`SELECT setval(q.tableoid::regclass, ${after}) FROM ${sequence} q WHERE ${still}`);
  return { sequence, before: before(state), after };
}

function before(state: SqlRow): MovedSequence['before'] {
  return { value: state.value!, called: state.called === 't' };
}
