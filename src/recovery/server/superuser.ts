/**
 * The name of the superuser that a cluster was made with, which may be any. The names of all roles are read from the copy's own files; the
 * first that lets us in can say which role is number 10.
 */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, isFailure } from '../../base/failure.ts';
import type { PostgresInstance } from '../../postgres/instance.ts';
import { SqlSession } from '../../postgres/sql.ts';
import { quietSession } from './stored-settings.ts';

const PG_AUTHID = 1260;
const FILENODE_MAP_MAGIC = 0x592717;
const NAME_BYTES = 64;
const MAX_BLOCK = 32_768;
/** Pages read of the table of roles. */
const MAX_PAGES = 128;

/** A role's name to try, and whoever connects with it may ask. Throws the last refusal when none gets in. */
export async function bootstrapSuperuser(
  instance: PostgresInstance,
  blockSize: number,
  signal: AbortSignal,
): Promise<string> {
  const names = new Set(['postgres', ...(await roleNames(instance.dataDir, blockSize))]);
  let refusal: unknown;
  for (const user of names) {
    try {
      await using sql = await SqlSession.open(quietSession(instance, user), { signal });
      const [row] = await sql.rows('SELECT rolname FROM pg_catalog.pg_roles WHERE oid = 10');
      if (typeof row?.rolname === 'string') return row.rolname;
    } catch (error) {
      signal.throwIfAborted();
      if (!isFailure(error, 'postgres_refused')) throw error;
      refusal = error;
    }
  }
  throw refusal ?? new Failure('postgres_refused', 'The restored cluster has no superuser.');
}

/** Names in the table of roles, of living and dead rows alike: a guess too many costs one connection. */
async function roleNames(dataDir: string, blockSize: number): Promise<readonly string[]> {
  if (!(blockSize >= 1024 && blockSize <= MAX_BLOCK)) return [];
  const global = join(dataDir, 'global');
  const map = await readFile(join(global, 'pg_filenode.map')).catch(() => Buffer.alloc(0));
  const file = await open(join(global, String(mappedFile(map, PG_AUTHID))), 'r').catch(() => undefined);
  if (file === undefined) return [];
  await using pages = file;
  const names: string[] = [];
  const page = Buffer.alloc(blockSize);
  for (let at = 0; at < MAX_PAGES; at++) {
    const { bytesRead } = await pages.read(page, 0, blockSize, at * blockSize);
    if (bytesRead < blockSize) break;
    names.push(...namesOfPage(page));
  }
  return names;
}

/** int32 magic, int32 count, then pairs of relation and file number. */
function mappedFile(map: Buffer, relation: number): number {
  if (map.length < 8 || map.readInt32LE(0) !== FILENODE_MAP_MAGIC) return relation;
  const count = Math.min(map.readInt32LE(4), Math.floor((map.length - 8) / 8));
  for (let i = 0; i < count; i++) if (map.readUInt32LE(8 + i * 8) === relation) return map.readUInt32LE(12 + i * 8);
  return relation;
}

/** Line pointers begin at byte 24, 4 bytes each: offset in the low 15 bits, length in the high 15. A row: its header, oid, name. */
function namesOfPage(page: Buffer): string[] {
  const end = Math.min(page.readUInt16LE(12), page.length);
  const names: string[] = [];
  for (let pointer = 24; pointer + 4 <= end; pointer += 4) {
    const word = page.readUInt32LE(pointer);
    const [offset, length] = [word & 0x7fff, word >>> 17];
    if (length < 24 || offset + length > page.length) continue;
    const name = offset + page.readUInt8(offset + 22) + 4;
    if (name + NAME_BYTES > offset + length) continue;
    const text = page.toString('utf8', name, name + NAME_BYTES).replace(/\0.*$/s, '');
    if (text !== '' && !text.startsWith('pg_')) names.push(text);
  }
  return names;
}
