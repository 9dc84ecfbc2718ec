/** What else happens when rows are written: triggers and rules of the application, told before they fire. */
import type { TableEntry } from './catalog.ts';
import type { RowsSession } from './session.ts';

export interface Trigger {
  readonly name: string;
  /** `trigger`, or `rule` (which rewrites the statement). */
  readonly kind: 'trigger' | 'rule';
  /** As the server spells it: `public.touch()`; empty for a rule. */
  readonly action: string;
  /** Fires even when triggers are switched off for the session. */
  readonly always: boolean;
}

/** Bits of pg_trigger.tgtype. */
const INSERT = 4;
const UPDATE = 16;

export async function firingTriggers(
  now: RowsSession,
  table: TableEntry,
  on: { readonly insert: boolean; readonly update: boolean },
): Promise<readonly Trigger[]> {
  const events = (on.insert ? INSERT : 0) | (on.update ? UPDATE : 0);
  if (events === 0) return [];
  const rows = await now.rows(
    `SELECT tgname AS name, 'trigger' AS kind, tgfoid::regprocedure::text AS action, tgenabled IN ('A', 'R') AS always FROM pg_trigger
      WHERE tgrelid = $1::oid AND NOT tgisinternal AND tgenabled <> 'D' AND tgtype & ${events} <> 0
     UNION ALL
     SELECT rulename, 'rule', '', ev_enabled IN ('A', 'R') FROM pg_rewrite
      WHERE ev_class = $1::oid AND ev_enabled <> 'D' AND ev_type IN (${on.insert ? `'3'` : 'NULL'}, ${on.update ? `'2'` : 'NULL'})
      ORDER BY 2 DESC, 1`,
    [table.oid],
  );
  return rows.map((row) => ({
    name: row.name!,
    kind: row.kind === 'rule' ? 'rule' : 'trigger',
    action: row.action!,
    always: row.always === 't',
  }));
}
