import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir } from '../../test/support/temp.ts';
import { makeDurable } from './durability.ts';

/** A directory with `count` files; their paths, the directory's own first. */
async function tree(path: string, count: number): Promise<Buffer[]> {
  await mkdir(path);
  const files = Array.from({ length: count }, (_, i) => `${path}/${i}`);
  await Promise.all(files.map((file) => writeFile(file, 'content')));
  return [path, ...files].map((name) => Buffer.from(name));
}

/** A stand-in for `sync -f` that counts, and can or cannot do it. */
function flusher(can: boolean) {
  const asked: string[] = [];
  return { asked, syncFileSystem: async (path: string) => asked.push(path) > 0 && can };
}

test('few files are flushed one by one, and the file system is left to others', async () => {
  await using dir = await tempDir();
  const { asked, syncFileSystem } = flusher(true);
  await makeDurable(dir.path, await tree(dir.join('few'), 10), { syncFileSystem });
  assert.deepEqual(asked, []);
});

test('many files are flushed with their file system, none by itself', async () => {
  await using dir = await tempDir();
  const { asked, syncFileSystem } = flusher(true);
  const paths = await tree(dir.join('many'), 100);
  await makeDurable(dir.path, [...paths, Buffer.from(dir.join('would fail if it were opened'))], { syncFileSystem });
  assert.deepEqual(asked, [dir.path]);
});

test('where a file system cannot be flushed, every file and directory is, to the last', async () => {
  await using dir = await tempDir();
  const { syncFileSystem } = flusher(false);
  const paths = await tree(dir.join('many'), 100);
  let given = 0;
  const counted = (function* () {
    for (const path of paths) {
      given++;
      yield path;
    }
  })();
  await makeDurable(dir.path, counted, { syncFileSystem });
  assert.equal(given, paths.length);
  const missing = [...paths, Buffer.from(dir.join('gone'))];
  await assert.rejects(makeDurable(dir.path, missing, { syncFileSystem }), { code: 'ENOENT' });
});

test('the program of this machine flushes a file system', async () => {
  await using dir = await tempDir();
  await makeDurable(dir.path, await tree(dir.join('many'), 100));
});
