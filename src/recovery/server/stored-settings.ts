/**
 * Settings that the copy's catalogue holds for its databases and roles (`ALTER DATABASE … SET`, `ALTER ROLE … SET`) win over any configuration
 * file: with them a session on the copy would load the original's libraries, or take more memory than we give.
 */
import { type ConnectionSettings, parseConnectionUrl } from '../../postgres/connection-settings.ts';
import type { PostgresInstance } from '../../postgres/instance.ts';
import { SqlSession } from '../../postgres/sql.ts';

/** Of those that a session loads by itself; the server's own are in its configuration. */
const LIBRARIES = ['session_preload_libraries', 'local_preload_libraries'];
const MEMORY = ['work_mem', 'maintenance_work_mem', 'hash_mem_multiplier', 'temp_buffers', 'logical_decoding_work_mem'];

/** Names without a database or role are of one that is gone. */
const RESETS = `
  SELECT format('ALTER %s RESET %I', CASE
           WHEN setrole = 0 AND setdatabase = 0 THEN 'ROLE ALL'
           WHEN setrole = 0 THEN format('DATABASE %I', datname)
           WHEN setdatabase = 0 THEN format('ROLE %I', rolname)
           ELSE format('ROLE %I IN DATABASE %I', rolname, datname) END, split_part(entry, '=', 1)) AS statement
    FROM pg_catalog.pg_db_role_setting
    LEFT JOIN pg_catalog.pg_database d ON d.oid = setdatabase
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = setrole,
         unnest(setconfig) AS entry
   WHERE (setdatabase = 0 OR datname IS NOT NULL) AND (setrole = 0 OR rolname IS NOT NULL)
     AND split_part(entry, '=', 1) = ANY ($1)`;

/** For a session of ours on a copy: it loads nothing, whatever the copy's catalogue says. */
export function quietSession(instance: PostgresInstance, user: string): ConnectionSettings {
  const options = LIBRARIES.map((name) => `-c ${name}=`).join(' ');
  return { ...parseConnectionUrl(instance.url({ user, database: 'template1' })), options };
}

/** Only for a copy that is thrown away: takes those settings out of its catalogue. All others stay, because queries depend on them. */
export async function resetStoredSettings(
  instance: PostgresInstance,
  user: string,
  signal: AbortSignal,
): Promise<void> {
  await using sql = await SqlSession.open(quietSession(instance, user), { signal });
  const rows = await sql.rows(RESETS, [[...LIBRARIES, ...MEMORY]]);
  if (rows.length === 0) return;
  await sql.run('SET default_transaction_read_only = off');
  for (const { statement } of rows) await sql.run(String(statement));
}
