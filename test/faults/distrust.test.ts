/** A point never rests on a pack that is known to be damaged while the source still has the data. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { init, localStore, PASSWORD } from '../support/care.ts';
import { holdfast, holdfastOk, writeConfig } from '../support/holdfast.ts';
import { assertWholeStorages } from '../support/judge.ts';
import { tempDir } from '../support/temp.ts';

test('after a check found packs missing, the next backup stores unchanged files again and its point is whole', async () => {
  await using dir = await tempDir();
  await mkdir(dir.join('media'));
  for (let i = 0; i < 5; i++) await writeFile(dir.join('media', `file ${i}`), `content ${i} `.repeat(1000 + i));
  await writeFile(dir.join('password'), PASSWORD, { mode: 0o600 });
  await writeConfig(dir.path, {
    repository: { password: { file: 'password' } },
    storages: { only: { type: 'local', path: 'only' } },
    apps: { clinic: { sources: { media: { type: 'files', path: 'media' } } } },
  });
  const options = { cwd: dir.path };
  await init([localStore(dir, 'only')]);
  const lost = String((await holdfastOk(['backup', '--json'], options)).summary?.point);
  for (const prefix of await readdir(dir.join('only', 'data'))) {
    for (const pack of await readdir(dir.join('only', 'data', prefix)))
      await rm(dir.join('only', 'data', prefix, pack));
  }
  assert.equal((await holdfast(['check'], options)).code, 4);

  const again = await holdfastOk(['backup', '--json'], options);

  assert.equal(again.summary?.bytes_added !== 0, true, 'nothing was stored again');
  await holdfastOk(['restore', 'latest', '--to', 'restored'], options);
  for (let i = 0; i < 5; i++) {
    assert.equal(await readFile(dir.join('restored', 'media', `file ${i}`), 'utf8'), `content ${i} `.repeat(1000 + i));
  }
  await holdfastOk(['forget', lost], options);
  await holdfastOk(['prune'], options);
  await assertWholeStorages(dir, 'only');
});
