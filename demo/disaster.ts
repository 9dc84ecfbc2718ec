/** The bad day: a database without its tables, a directory without its files, a storage wiped, another one with rotten bytes. */
import { chmod, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClientBase } from 'pg';
import { TABLES } from './database.ts';

export async function dropTables(client: ClientBase): Promise<void> {
  await client.query(`drop table ${TABLES.join(', ')} cascade`);
}

/** A practitioner has left, and somebody tidies up: all visits go, with the rows of their photographs and reports. Returns how many visits. */
export async function deleteTooMuch(client: ClientBase, practitioner: number): Promise<number> {
  const { rowCount } = await client.query('delete from encounters where practitioner_id = $1', [practitioner]);
  return rowCount ?? 0;
}

/** Removes what stands in `directory`, as `rm -rf directory/*` does. */
export async function wipe(directory: string): Promise<void> {
  for (const entry of await readdir(directory)) await rm(join(directory, entry), { recursive: true, force: true });
}

/** Flips bits in the middle of every `every`-th pack of a storage, as a bad disk does; sizes stay. Returns how many it hit. */
export async function rot(storage: string, every: number): Promise<number> {
  const data = join(storage, 'data');
  const entries = await readdir(data, { recursive: true, withFileTypes: true });
  const packs = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const chosen = packs.sort().filter((_, index) => index % every === 0);
  for (const pack of chosen) await flipMiddle(pack);
  return chosen.length;
}

async function flipMiddle(path: string): Promise<void> {
  const { size, mode } = await stat(path);
  await chmod(path, mode | 0o200); // objects are written once and then read-only
  const file = await open(path, 'r+');
  try {
    const length = Math.min(64, size);
    const position = Math.floor((size - length) / 2);
    const bytes = Buffer.alloc(length);
    await file.read(bytes, 0, length, position);
    for (let at = 0; at < length; at++) bytes[at]! ^= 0xff;
    await file.write(bytes, 0, length, position);
  } finally {
    await file.close();
    await chmod(path, mode);
  }
}
