/** Names of relations by file, as the live server knows them now, for telling what the log speaks of. */
import type { PostgresSourceSettings } from '../../config/settings.ts';
import { parseConnectionUrl } from '../../postgres/connection-settings.ts';
import { SqlSession } from '../../postgres/sql.ts';
import type { NamedRelation, RelationNames } from '../../wal/events.ts';

const PATIENCE_MS = 5_000;
/** Beyond that many relations the log has to tell the names itself. */
const MAX_RELATIONS = 200_000;
const CLUSTER = 'SELECT system_identifier::text AS cluster FROM pg_control_system()';
const DATABASES =
  'SELECT oid::text AS oid, datname::text AS name, (datname = current_database())::text AS current FROM pg_database';
const RELATIONS = `
  SELECT c.oid::text AS oid, pg_relation_filenode(c.oid)::text AS file, n.nspname || '.' || c.relname AS name, c.relkind::text AS kind
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid >= 16384 LIMIT ${MAX_RELATIONS}`;

/**
 * What the server of a source tells: all databases, and the relations of the one that the source connects to. Undefined when it does not
 * answer, or is another cluster.
 */
export async function askRelationNames(
  source: PostgresSourceSettings,
  cluster: string,
  signal: AbortSignal,
): Promise<RelationNames | undefined> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  try {
    const connection = parseConnectionUrl(source.url);
    await using session = await SqlSession.open(connection, { signal: within, statementTimeoutMs: PATIENCE_MS });
    const [told] = await session.rows(CLUSTER, [], 'Asking which cluster it is');
    if (told?.cluster !== cluster) return undefined;
    const databases = await session.rows(DATABASES, [], 'Asking for the databases');
    const relations = await session.rows(RELATIONS, [], 'Asking for the relations');
    return namesOf(databases, relations);
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

type Rows = readonly Readonly<Record<string, unknown>>[];

function namesOf(databases: Rows, relations: Rows): RelationNames {
  const current = Number(databases.find((row) => row.current === 'true' || row.current === 't')?.oid);
  const names = new Map(databases.map((row) => [Number(row.oid), String(row.name)]));
  const byFile = new Map<number, NamedRelation>();
  const byOid = new Map<number, NamedRelation>();
  for (const row of relations) {
    const relation = { name: String(row.name), kind: String(row.kind) };
    byOid.set(Number(row.oid), relation);
    if (row.file !== null) byFile.set(Number(row.file), relation);
  }
  return {
    byFile: ({ database, relation }) => (database === current ? byFile.get(relation) : undefined),
    byOid: (database, oid) => (database === current ? byOid.get(oid) : undefined),
    database: (oid) => names.get(oid),
  };
}
