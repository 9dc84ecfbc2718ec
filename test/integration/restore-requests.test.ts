/** What a restore asks of a storage: each request costs a way there and back, and what comes is paid for. */
import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { forward } from '../../src/storage/forward.ts';
import type { ByteRange, ObjectStore } from '../../src/storage/object-store.ts';
import { type MemoryStore, memoryStore } from '../../src/storage/testing/memory-store.ts';
import { init, open } from '../support/care.ts';
import { tempDir } from '../support/temp.ts';
import { runRestore, writeHandMade } from './fixtures/restore-run.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Pictures of this size are one blob each, and 60 of them fit one request. */
const SIZE = 100 * KIB;

interface Picture {
  readonly name: string;
  /** Where its blob stands in the pack that holds them all. */
  readonly offset: number;
  readonly length: number;
}

/** Notes which stretches of packs with content are read. */
function watched(store: ObjectStore, ranges: (ByteRange | undefined)[]): ObjectStore {
  return {
    ...forward(store),
    get: (key, range, options) => {
      if (key.startsWith('data/') && memory.objects.get(key)!.length > SIZE) ranges.push(range);
      return store.get(key, range, options);
    },
  };
}

let memory: MemoryStore;
/** In the order of the pack, which is drawn by lot. */
let pictures: readonly Picture[];
before(async () => {
  memory = memoryStore('a');
  await init([memory]);
  const nodes = Array.from({ length: 60 }, (_, i) => ({ name: `picture-${10 + i}`, content: randomBytes(SIZE) }));
  await writeHandMade([memory], nodes, 64 * MIB);
  const { index } = await (await open([memory])).loadIndex();
  const places = nodes.map(({ name, content }) => {
    const { offset, length } = index.locate('data', hash('sha256', content, 'buffer'))[0]!;
    return { name, offset, length };
  });
  pictures = places.sort((a, b) => a.offset - b.offset);
});

/** Restores these pictures and returns which stretches of packs were asked for, from front to back. */
async function stretchesFor(...wanted: readonly Picture[][]): Promise<(ByteRange | undefined)[]> {
  await using dir = await tempDir();
  const ranges: (ByteRange | undefined)[] = [];
  const paths = wanted.flat().map(({ name }) => `media/${name}`);
  const target = dir.join('out');
  const outcome = await runRestore({ stores: [watched(memory, ranges)], target, input: { paths } });
  assert.deepEqual(outcome.problems, []);
  assert.equal((await readdir(join(target, 'media'))).length, paths.length);
  return ranges.sort((a, b) => (a?.offset ?? 0) - (b?.offset ?? 0));
}

/** From the first of some pictures to the last. */
function span(some: readonly Picture[]): ByteRange {
  const [first, last] = [some[0]!, some.at(-1)!];
  return { offset: first.offset, length: last.offset + last.length - first.offset };
}

test('what stands side by side in a pack comes in one request', async () => {
  const ten = pictures.slice(20, 30);
  assert.deepEqual(await stretchesFor(ten), [span(ten)]);
});

test('a little that nobody needs is fetched rather than asking twice; much is not', async () => {
  const [first, near, far] = [pictures.slice(0, 3), pictures.slice(6, 9), pictures.slice(40, 43)];
  assert.deepEqual(await stretchesFor(first, near, far), [span([...first, ...near]), span(far)]);
});

test('a pack that is wanted whole is one request for all of it', async () => {
  const sizes = [...memory.objects].filter(([key]) => key.startsWith('data/')).map(([, bytes]) => bytes.length);
  assert.deepEqual(await stretchesFor([...pictures]), [{ offset: 0, length: Math.max(...sizes) }]);
});
