/** Whether storages are whole, as our own check sees them and as restic does. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { check } from '../../src/operations/check.ts';
import type { MemoryStore } from '../../src/storage/testing/memory-store.ts';
import { localStore, openSession, PASSWORD } from './care.ts';
import { need } from './needs.ts';
import { Restic } from './restic.ts';
import { type TempDir, tempDir } from './temp.ts';

/** Fails the test unless both checks find all data of these storages whole; each is the directory of its name below `dir`. */
export async function assertWholeStorages(dir: TempDir, ...names: readonly string[]): Promise<void> {
  const session = await openSession(names.map((name) => localStore(dir, name)));
  assert.deepEqual((await check(session, { readData: true })).findings, []);
  if ((await need('restic')).skip !== false) return;
  for (const name of names) await new Restic(dir.join(name), PASSWORD).check();
}

/** Writes a storage in memory out for `restic check --read-data`; throws what restic finds. Locks of dead runs are removed first. Returns 1, or 0 without restic. */
export async function judgeMemory({ objects }: MemoryStore): Promise<0 | 1> {
  if ((await need('restic')).skip !== false) return 0;
  await using dir = await tempDir();
  for (const [key, bytes] of objects) {
    if (key.startsWith('locks/')) continue;
    await mkdir(dirname(dir.join(key)), { recursive: true });
    await writeFile(dir.join(key), bytes);
  }
  await new Restic(dir.path, PASSWORD).check();
  return 1;
}
