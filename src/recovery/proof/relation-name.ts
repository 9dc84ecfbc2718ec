/** Which relation a damaged file is, as the copy's catalogue tells; nothing where it cannot. */
import { type CheckWorld, openSql } from './server.ts';

const BASE = /^base\/(\d+)\/(\d+)/;

/** ` (database: schema.table)`, or an empty text. */
export async function relationName(world: CheckWorld, path: string): Promise<string> {
  const [, database, file] = BASE.exec(path) ?? [];
  if (database === undefined) return '';
  try {
    await using sql = await openSql(world);
    const [row] = await sql.rows('SELECT datname FROM pg_database WHERE oid = $1::oid AND datallowconn', [database]);
    if (row === undefined) return '';
    const name = String(row.datname);
    await using there = await openSql(world, name);
    const [relation] = await there.rows('SELECT pg_filenode_relation(0, $1::oid)::regclass::text AS name', [file]);
    return typeof relation?.name === 'string' ? ` (${name}: ${relation.name})` : '';
  } catch {
    world.signal.throwIfAborted();
    return ''; // the catalogue itself may be what is damaged
  }
}
