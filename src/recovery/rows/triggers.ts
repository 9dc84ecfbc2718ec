/** What else happens when rows are written: triggers and rules of the application, told before they fire. */
import type { TableEntry } from './catalog.ts';
import type { RowsSession } from './session.ts';

export interface Trigger {
  readonly name: string;
  /** `trigger`, or `rule` (which rewrites the statement). */
  readonly kind: 'trigger' | 'rule';
  /** As the server spells it: `public.touch()`; empty for a rule. */
  readonly action: string;
}

/** Bits of pg_trigger.tgtype. */
const INSERT = 4;
const UPDATE = 16;

/** Those that will fire; `silent`: in the role of a replica, where ordinary ones do not and some others do. */
export async function firingTriggers(
  now: RowsSession,
  table: TableEntry,
  on: { readonly insert: boolean; readonly update: boolean; readonly silent: boolean },
): Promise<readonly Trigger[]> {
  const events = (on.insert ? INSERT : 0) | (on.update ? UPDATE : 0);
  if (events === 0) return [];
  const enabled = on.silent ? `('A', 'R')` : `('O', 'A')`;
  const rows = await now.rows(
    `SELECT tgname AS name, 'trigger' AS kind, tgfoid::regprocedure::text AS action FROM pg_trigger
      WHERE tgrelid = $1::oid AND NOT tgisinternal AND tgenabled IN ${enabled} AND tgtype & ${events} <> 0
     UNION ALL
     SELECT rulename, 'rule', '' FROM pg_rewrite
      WHERE ev_class = $1::oid AND ev_enabled IN ${enabled} AND ev_type IN (${on.insert ? `'3'` : 'NULL'}, ${on.update ? `'2'` : 'NULL'})
      ORDER BY 2 DESC, 1`,
    [table.oid],
  );
  return rows.map((row) => ({
    name: row.name!,
    kind: row.kind === 'rule' ? 'rule' : 'trigger',
    action: row.action!,
  }));
}
