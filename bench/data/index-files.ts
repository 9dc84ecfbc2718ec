/** Index files of a repository that has very many blobs, without the blobs: what reading an index needs and nothing else. */

import { systemClock } from '../../src/base/clock.ts';
import { idFromBytes } from '../../src/base/ids.ts';
import { encodeIndex } from '../../src/repository/format/index-file.ts';
import { objectKey } from '../../src/repository/keys.ts';
import { openRepository } from '../../src/repository/repository.ts';
import { openLocalStore } from '../../src/storage/local/local-store.ts';
import { numbers, randomBytesOf } from './random.ts';

const BLOBS_IN_FILE = 50_000;
const BLOBS_IN_PACK = 20;
const ID = 32;

/** Adds index files that name `count` blobs to the repository in the directory `path`. */
export async function addIndexFiles(path: string, password: string, count: number): Promise<void> {
  const store = openLocalStore({ name: 'measured', path, create: false });
  const holder = { hostname: 'bench', username: 'bench', pid: process.pid, system: 'bench', isAlive: () => true };
  const repository = await openRepository([store], password, { clock: systemClock, holder });
  for (let from = 0; from < count; from += BLOBS_IN_FILE) {
    const { id, bytes } = repository.sealUnpacked(indexDocument(from, Math.min(BLOBS_IN_FILE, count - from)));
    await store.put(objectKey('index', id), bytes);
  }
  await repository.close();
}

function indexDocument(seed: number, count: number): string {
  const next = numbers(seed);
  const ids = randomBytesOf(`blobs from ${seed}`, count * ID);
  const packIds = randomBytesOf(`packs from ${seed}`, Math.ceil(count / BLOBS_IN_PACK) * ID);
  const packs = Array.from({ length: packIds.length / ID }, (_, pack) => {
    let offset = 0;
    const blobs = [];
    for (let i = pack * BLOBS_IN_PACK; i < Math.min(count, (pack + 1) * BLOBS_IN_PACK); i++) {
      const plain = 200_000 + Math.floor(next() * 1_500_000);
      const length = Math.floor(plain * (0.3 + 0.7 * next()));
      blobs.push({ id: idFromBytes(ids, i * ID), type: 'data' as const, offset, length, uncompressedLength: plain });
      offset += length;
    }
    return { id: idFromBytes(packIds, pack * ID), blobs };
  });
  return encodeIndex(packs);
}
