/** Files that commands write: private, whole, without remains. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir } from '../../../test/support/temp.ts';
import { writeFileWhole } from './write-file.ts';

test('it replaces what is there, is readable by its owner only, and leaves nothing else', async () => {
  await using dir = await tempDir();
  await writeFile(dir.join('report.html'), 'old', { mode: 0o644 });
  await writeFile(dir.join('report.html.tmp'), 'of somebody else');
  await writeFileWhole(dir.join('report.html'), 'new');
  assert.equal(await readFile(dir.join('report.html'), 'utf8'), 'new');
  assert.equal((await stat(dir.join('report.html'))).mode & 0o777, 0o600);
  assert.deepEqual((await readdir(dir.path)).sort(), ['report.html', 'report.html.tmp']);
});

test('where it cannot be put nothing remains', async () => {
  await using dir = await tempDir();
  await mkdir(dir.join('taken', 'by a directory'), { recursive: true });
  await assert.rejects(writeFileWhole(dir.join('taken'), 'x'), { code: 'output_failed' });
  await assert.rejects(writeFileWhole(dir.join('nowhere', 'x'), 'x'), { code: 'output_failed' });
  assert.deepEqual(await readdir(dir.path), ['taken']);
});
