/** Directories that are made, and places that take none. */
import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir } from '../../test/support/temp.ts';
import { makeDirectories, makeDirectoriesSync } from './make-directories.ts';

const WAYS = {
  'with waiting': makeDirectories,
  'at once': async (...given: Parameters<typeof makeDirectoriesSync>) => makeDirectoriesSync(...given),
};

for (const [way, make] of Object.entries(WAYS)) {
  test(`${way}: missing directories are made one in another, and what is there stays`, async () => {
    await using dir = await tempDir();
    await make(dir.join('a', 'b', 'c'), 0o700);
    await make(dir.join('a', 'b', 'c'), 0o755);
    assert.equal((await stat(dir.join('a', 'b', 'c'))).mode & 0o777, 0o700);
  });

  test(`${way}: a file in the way, and a file system that takes no names, are errors and not waited for`, async () => {
    await using dir = await tempDir();
    await writeFile(dir.join('file'), '');
    await assert.rejects(make(dir.join('file')), { code: 'EEXIST' });
    await assert.rejects(make(dir.join('file', 'below')), { code: 'ENOTDIR' });
    await assert.rejects(make('/proc/holdfast/below'), { code: 'ENOENT' });
  });
}
