import assert from 'node:assert/strict';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { OpenFiles } from './open-files.ts';

test('a file in use is not opened again; what is forgotten, failed or long unused is', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-open-'));
  t.after(() => rm(directory, { recursive: true }));
  const paths = Array.from({ length: 12 }, (_, i) => join(directory, `${i}`));
  for (const path of paths) await writeFile(path, path);
  const [path = '', ...others] = paths;
  const files = new OpenFiles();
  const fdOf = () => files.use(path, async ({ fd }) => fd);
  const isShared = (meanwhile: () => Promise<unknown>) =>
    files.use(path, async ({ fd }) => {
      await meanwhile();
      return (await fdOf()) === fd;
    });
  assert.equal(await isShared(async () => {}), true);
  assert.equal(await isShared(async () => files.forget(path)), false);
  assert.equal(
    await isShared(() => assert.rejects(files.use(path, async () => Promise.reject(new Error('torn'))))),
    false,
  );
  const useOthers = async () => {
    for (const other of others) await files.use(other, async () => {});
  };
  assert.equal(await isShared(useOthers), false, 'few are kept');
  const still = await files.use(path, async ({ stats }) => {
    files.closeAll();
    await rename(others[0]!, path);
    return stats.size;
  });
  assert.equal(still, path.length, 'whoever reads goes on with what they opened');
  assert.equal(await files.use(path, async ({ stats }) => stats.size), (await readFile(path)).length);
  files.closeAll();
});
