/** Has restic judge a storage in memory, by writing it out. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { MemoryStore } from '../../src/storage/testing/memory-store.ts';
import { PASSWORD } from './care.ts';
import { need } from './needs.ts';
import { Restic } from './restic.ts';
import { tempDir } from './temp.ts';

/** `restic check --read-data`; throws what restic finds. Locks of dead runs are removed first. Returns 1, or 0 without restic. */
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
