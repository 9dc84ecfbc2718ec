/** A restored database: a data directory that starts, whose control file comes last, and that replaces a stopped server only. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RestoreOutcome } from '../../src/operations/restore.ts';
import { objectKey } from '../../src/repository/keys.ts';
import { localStore, open } from '../support/care.ts';
import { majors, startPostgres } from '../support/postgres/server.ts';
import { flipBit, overwrite, packFiles } from '../support/spoil.ts';
import { backupApp } from './fixtures/backup-app.ts';

const available = await majors();
const major = available.at(-1)!;
const skip = available.length === 0 && 'needs PostgreSQL';

test('a restored database starts, and restores in place over the stopped server', { skip }, async () => {
  await using pg = await startPostgres({ major });
  await pg.sql('create table t (x int); insert into t select generate_series(1, 1000)');
  await using app = await backupApp({ databaseUrl: pg.url(), local: ['a'] });
  await writeFile(join(app.media, 'file'), 'old');
  await app.ok(['backup', '--quiet']);
  const told = (await app.ok(['restore', 'latest', '--to', app.dir.join('out'), '--quiet'])).stdout;
  assert.ok(told.includes(`postgres -D ${app.dir.join('out')}/database -p 5499`), told);
  const data = app.dir.join('out', 'database');
  assert.equal((await stat(data)).mode & 0o777, 0o700);
  await assert.rejects(stat(join(data, 'postmaster.pid')));
  await using restored = await startPostgres({ major, dataDir: data });
  assert.deepEqual(await restored.sql('select count(*)::int n from t'), [{ n: 1000 }]);

  await restored.sql('delete from t');
  const inPlace = ['restore', 'latest', '--in-place', '--source', 'database', '--confirm', 'database', '--json'];
  const where = ['--data-directory', data];
  const running = await app.run([...inPlace, ...where]);
  assert.equal(running.error?.error, 'target_unsafe');
  assert.match(String(running.error?.message), /PostgreSQL is running in .* \(process \d+\)/);
  assert.deepEqual(await restored.sql('select count(*)::int n from t'), [{ n: 0 }], 'it still runs, untouched');
  await restored.stop('fast');
  await app.ok([...inPlace, ...where]);
  await using again = await startPostgres({ major, dataDir: data });
  assert.deepEqual(await again.sql('select count(*)::int n from t'), [{ n: 1000 }]);
  const wrong = await app.run([...inPlace, '--data-directory', app.media]);
  assert.equal(wrong.error?.error, 'target_unsafe');
});

test('a database that lacks a file gets no control file: it must not start', { skip }, async () => {
  await using pg = await startPostgres({ major });
  await using app = await backupApp({ databaseUrl: pg.url(), local: ['a'] });
  await app.ok(['backup', '--quiet']);
  const [largest] = await packFiles(app.dir.join('a'));
  const bytes = await readFile(largest!);
  bytes.fill(0, bytes.length >> 2, bytes.length >> 1);
  await overwrite(largest!, bytes);
  const { summary } = await app.ok(['restore', 'latest', '--to', app.dir.join('out'), '--json'], 4);
  const { missing, problems } = summary as unknown as RestoreOutcome;
  assert.ok(missing > 1);
  // Chance decides whether its own content is among what was spoiled, and so which reason it is given.
  const control = problems.find(({ path }) => path === 'database/global/pg_control');
  assert.equal(control?.missing, true);
  assert.match(control.message, /lacks files|no storage has a good copy/);
  await assert.rejects(stat(app.dir.join('out', 'database', 'global', 'pg_control')));
  await stat(app.dir.join('out', '.holdfast-restore.json'));
});

test('a database whose manifest is lost as well is known by what it holds, and gets no control file', {
  skip,
}, async () => {
  await using pg = await startPostgres({ major });
  await using app = await backupApp({ databaseUrl: pg.url(), local: ['a'] });
  await app.ok(['backup', '--quiet']);
  const contents = [];
  for (const path of ['manifest.json', 'database/postgresql.auto.conf'])
    contents.push((await app.ok(['cat', 'latest', path])).stdout);
  const store = localStore(app.dir, 'a');
  const { index } = await (await open([store])).loadIndex();
  for (const content of contents) {
    const [place] = index.locate('data', hash('sha256', content, 'buffer'));
    await flipBit(join(app.dir.join('a'), objectKey('data', index.packId(place!.pack))), place!.offset + 40);
  }
  const { summary } = await app.ok(['restore', 'latest', '--to', app.dir.join('out'), '--json'], 4);
  const { problems } = summary as unknown as RestoreOutcome;
  const missing = problems.filter((problem) => problem.missing).map(({ path }) => path);
  assert.deepEqual(missing, ['database/global/pg_control', 'database/postgresql.auto.conf']);
  await assert.rejects(stat(app.dir.join('out', 'database', 'global', 'pg_control')));
  assert.equal((await stat(app.dir.join('out', 'database'))).mode & 0o777, 0o700);
});
