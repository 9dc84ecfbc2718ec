/** What is in the configured database and does not survive, or cannot be read: policies, rights, unlogged tables. */

import { quoted } from '../quoting.ts';
import type { SqlSession } from '../sql.ts';
import { type Finding, problem, remark } from './finding.ts';

/** How many names a sentence lists. */
const SHOWN = 5;

/** `logicalReads`: whether queries over tables (references, migrations, tenants) are part of the set-up. */
export async function dataFindings(sql: SqlSession, user: string, logicalReads: boolean): Promise<readonly Finding[]> {
  const rows = await sql.rows(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name, c.relpersistence = 'u' AS unlogged,
            row_security_active(c.oid) AS filtered,
            NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')) AS closed
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
        AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
      ORDER BY 1`,
  );
  const named = (flag: string) => rows.filter((row) => row[flag] === true).map((row) => String(row.name));
  return [
    ...policyFindings(named('filtered'), user, logicalReads),
    ...closedFindings(named('closed'), user, logicalReads),
    ...unloggedFindings(named('unlogged')),
  ];
}

function policyFindings(tables: readonly string[], user: string, logicalReads: boolean): Finding[] {
  if (tables.length === 0) return [];
  const role = quoted(user);
  const what = `Row-level security would show role ${role} only some rows of ${list(tables)}: reading them is refused, rows are not counted.`;
  return [(logicalReads ? problem : remark)('row_security', what, `ALTER ROLE ${role} BYPASSRLS;`)];
}

function closedFindings(tables: readonly string[], user: string, logicalReads: boolean): Finding[] {
  if (tables.length === 0) return [];
  const role = quoted(user);
  const what = `Role ${role} may not read ${list(tables)}: their rows are estimated, and queries over them fail.`;
  return [(logicalReads ? problem : remark)('tables_closed', what, `GRANT pg_read_all_data TO ${role};`)];
}

function unloggedFindings(tables: readonly string[]): Finding[] {
  if (tables.length === 0) return [];
  const what = `Unlogged tables come back empty from every backup: ${list(tables)}.`;
  return [remark('unlogged_tables', what, tables.map((table) => `ALTER TABLE ${table} SET LOGGED;`).join(' '))];
}

function list(names: readonly string[]): string {
  const more = names.length - SHOWN;
  return names.slice(0, SHOWN).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
