/** The catalog by command: rebuilt from storages and key alone, copied into a file and the repository, put back after a loss. */
import assert from 'node:assert/strict';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { listPoints } from '../../src/catalog/points.ts';
import { createRun, getRun } from '../../src/catalog/runs.ts';
import { init, localStore } from '../support/care.ts';
import { holdfast, holdfastOk, writeConfig } from '../support/holdfast.ts';
import { need } from '../support/needs.ts';
import { Restic } from '../support/restic.ts';
import { tempDir } from '../support/temp.ts';

const PASSWORD = 'correct horse';
const NOW = Date.UTC(2026, 10, 21, 3);

test('a lost catalog comes back: points from the storages, the rest from its copies', async () => {
  const restic = await need('restic');
  await using dir = await tempDir();
  const media = { sources: { media: { type: 'files', path: 'media' } } };
  await mkdir(dir.join('media'));
  await writeFile(dir.join('media', 'a'), 'a');
  await writeFile(dir.join('password'), PASSWORD, { mode: 0o600 });
  await writeConfig(dir.path, {
    repository: { password: { file: 'password' } },
    storages: { one: { type: 'local', path: 'one' }, two: { type: 'local', path: 'two' } },
    apps: { clinic: media, shop: media },
  });
  await init([localStore(dir, 'one'), localStore(dir, 'two')], PASSWORD);
  const options = { cwd: dir.path };
  await holdfastOk(['backup', '--app', 'clinic', '--label', 'v1'], options);
  await holdfastOk(['backup', '--app', 'shop'], options);

  const place = { path: dir.join('.holdfast', 'catalog.sqlite') };
  const report = (await holdfastOk(['catalog', 'rebuild', '--json'], options)).document();
  assert.deepEqual(report, { apps: 2, points: 2, added: 2, changed: 0, removed: 0 });
  let run = '';
  {
    await using catalog = await openCatalog(place);
    const { points } = await listPoints(catalog.db, { app: 'clinic', limit: 9 });
    assert.deepEqual(
      points.map(({ label, storages, proof }) => [label, JSON.parse(storages), proof]),
      [['v1', ['one', 'two'], 'stored']],
    );
    run = (await createRun(catalog.db, { app: 'clinic', kind: 'backup', trigger: 'cli' }, NOW)).run.id;
  }
  const known = async () => {
    await using catalog = await openCatalog(place);
    return await getRun(catalog.db, run);
  };

  for (let n = 0; n < 4; n++) await holdfastOk(['catalog', 'save'], options);
  for (const storage of ['one', 'two'])
    assert.equal((await readdir(dir.join(storage, 'meta', 'catalog-copies'))).length, 3);
  await holdfastOk(['catalog', 'export', 'copy.gz'], options);
  assert.equal((await stat(dir.join('copy.gz'))).mode & 0o777, 0o600);

  const refused = await holdfast(['catalog', 'import', 'copy.gz', '--json'], options);
  assert.deepEqual([refused.code, refused.error?.error], [1, 'target_exists']);

  await rm(dir.join('.holdfast'), { recursive: true });
  await rm(dir.join('one', 'meta'), { recursive: true }); // a storage without the copies is no obstacle
  await holdfastOk(['catalog', 'import', '--from-repository'], options);
  assert.equal((await known())?.state, 'cancelled');
  await holdfastOk(['catalog', 'rebuild'], options);

  await rm(dir.join('.holdfast'), { recursive: true });
  await holdfastOk(['catalog', 'import', 'copy.gz'], options);
  assert.equal((await known())?.state, 'cancelled');
  await holdfastOk(['catalog', 'import', 'copy.gz', '--replace'], options);

  for (const [args, code] of [
    [['import'], 'usage'],
    [['import', 'copy.gz', '--from-repository'], 'usage'],
    [['import', 'nowhere.gz'], 'path_unknown'],
    [['import', 'password', '--replace'], 'data_damaged'],
    [['export', 'no/such/directory/copy.gz'], 'output_failed'],
  ] as const) {
    const failed = await holdfast(['catalog', ...args, '--json'], options);
    assert.equal(failed.error?.error, code, args.join(' '));
  }
  assert.notEqual(await known(), undefined);
  if (!restic.skip) await new Restic(dir.join('two'), PASSWORD).check();
});
