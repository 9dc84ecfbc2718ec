/** Where a backup cannot be incremental everything is read, and the reason is told; the point is whole either way. */
import assert from 'node:assert/strict';
import { open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { pageChecksum } from '../../src/postgres/page.ts';
import { majors, runSql, startPostgres, type TestServer } from '../support/postgres/server.ts';
import { overwrite, packFiles } from '../support/spoil.ts';
import { tempDir } from '../support/temp.ts';
import { type BackupApp, backupApp } from './fixtures/backup-app.ts';
import { backupFactsOf } from './fixtures/backup-facts.ts';

const available = await majors();
const SETTINGS = { summarize_wal: 'on', autovacuum: 'off' };
const needs = (major: number) => (available.includes(major) ? false : `needs PostgreSQL ${major}`);

async function fill(pg: TestServer): Promise<void> {
  await pg.sql(
    'create table t as select g as id, md5(g::text) || md5((g * 7)::text) as pad from generate_series(1, 20000) g',
  );
}

const change = (pg: TestServer) => pg.sql('update t set pad = md5(id::text || random()) where id % 700 = 1');

/** Backs up, and returns why it was a full one and what was told about it. */
async function fullBecause(app: BackupApp, ...args: string[]): Promise<{ reason: string; told: readonly string[] }> {
  const { notices } = await app.backUp(args);
  const { kind, fallback } = await backupFactsOf(app);
  assert.equal(kind, 'full');
  return { reason: fallback ?? '', told: notices.map(({ item, reason }) => `${item}: ${reason}`) };
}

async function assertRestores(app: BackupApp, pg: TestServer): Promise<void> {
  await using target = await tempDir({ open: true });
  await app.ok(['restore', 'latest', '--source', 'database', '--to', target.join('r'), '--quiet']);
  await using restored = await startPostgres({ major: pg.major, dataDir: target.join('r', 'database') });
  const query = 'select count(*)::int n, sum(hashtextextended(t::text, 0))::text h from t';
  assert.deepEqual((await runSql(restored.url(), query))[0], (await pg.sql(query))[0]);
}

for (const major of [15, 16]) {
  test(`PostgreSQL ${major} has no incremental backups: that is recorded, not complained about`, {
    skip: needs(major),
  }, async () => {
    await using pg = await startPostgres({ major });
    await fill(pg);
    await using app = await backupApp({ databaseUrl: pg.url(), local: ['a'], here: true });
    assert.match((await fullBecause(app)).reason, /no earlier point/);
    await change(pg);
    const { reason, told } = await fullBecause(app);
    assert.ok(reason.includes(`PostgreSQL ${major} has no incremental backups`), reason);
    assert.deepEqual(told, []);
    await assertRestores(app, pg);
  });
}

test('settings, summaries, damage, another server: each is told, and everything is read', {
  skip: needs(17),
}, async () => {
  await using pg = await startPostgres({ major: 17, settings: { autovacuum: 'off' } });
  await fill(pg);
  await using app = await backupApp({ databaseUrl: pg.url(), local: ['a'], here: true });
  await app.backUp();

  const off = await fullBecause(app);
  assert.match(off.reason, /summarize_wal is off/);
  assert.match(off.told.join(), /ALTER SYSTEM SET summarize_wal = on; SELECT pg_reload_conf\(\);/);

  await pg.sql('alter system set summarize_wal = on');
  await pg.sql('select pg_reload_conf()');
  await app.backUp(); // some of the log since the earlier point was not summarised, or was after all
  await change(pg);
  await app.backUp();
  assert.equal((await backupFactsOf(app)).kind, 'incremental');

  assert.match((await fullBecause(app, '--full')).reason, /asked for/);

  await change(pg);
  await removeSummaries(pg);
  const gone = await fullBecause(app);
  assert.match(gone.reason, /summaries/);
  assert.match(gone.told.join(), /full backup: .*summaries/);
  await assertRestores(app, pg);
});

test('a point of another cluster is not built upon', { skip: needs(17) }, async () => {
  await using app = await (async () => {
    await using first = await startPostgres({ major: 17, settings: SETTINGS });
    await fill(first);
    const made = await backupApp({ databaseUrl: first.url(), local: ['a'], here: true });
    await made.backUp();
    return made;
  })();
  await using second = await startPostgres({ major: 17, settings: SETTINGS });
  await fill(second);
  await readFrom(app, second.url());
  const { reason, told } = await fullBecause(app);
  assert.match(reason, /is of another cluster/);
  assert.equal(told.length, 1);
  await assertRestores(app, second);
});

test('pieces of the earlier point that are missing are read again; found only while merging, everything is', {
  skip: needs(17),
}, async () => {
  await using pg = await startPostgres({ major: 17, settings: SETTINGS });
  await fill(pg);
  await using app = await backupApp({ databaseUrl: pg.url(), local: ['a'], here: true });
  await app.backUp();
  await change(pg);
  for (const file of (await packFiles(app.dir.join('a'))).slice(0, 2)) {
    await overwrite(file, Buffer.alloc((await readFile(file)).length));
  }
  const { reason, told } = await fullBecause(app);
  assert.match(reason, /not incremental|cannot be read/);
  assert.ok(told.length > 0);

  await rm(app.dir.join('a', 'data'), { recursive: true });
  await app.ok(['check', '--quiet'], 4);
  await change(pg);
  await app.backUp();
  await assertRestores(app, pg);
});

async function removeSummaries(pg: TestServer): Promise<void> {
  const directory = join(pg.dataDir, 'pg_wal', 'summaries');
  for (const name of await readdir(directory)) await rm(join(directory, name));
}

test('a full reading is held against the earlier point: equal where nothing changed, and a page that changed behind the server is found', {
  skip: needs(18),
}, async () => {
  await using pg = await startPostgres({ major: 18, settings: SETTINGS });
  await fill(pg);
  await using app = await backupApp({ databaseUrl: pg.url(), local: ['a'], here: true });
  await app.backUp();
  await change(pg);
  await app.backUp();
  await change(pg);
  const { told } = await fullBecause(app, '--full');
  assert.deepEqual(told, []);
  const { comparison } = await backupFactsOf(app);
  assert.equal(comparison?.different, 0);
  assert.ok(comparison.pages > 1000, `${comparison.pages} pages compared`);

  await changeBehind(pg, 3);
  await change(pg);
  const again = await fullBecause(app, '--full');
  assert.match(again.told.join(), /differs in 1 place/);
  const found = (await backupFactsOf(app)).comparison;
  assert.equal(found?.different, 1);
});

/** Changes a page of the table on the disk, so that its checksum is right and no log knows of it. */
async function changeBehind(pg: TestServer, block: number): Promise<void> {
  await pg.sql('checkpoint');
  const [row] = await pg.sql("select pg_relation_filepath('t') as path");
  await using file = await open(join(pg.dataDir, String(row?.path)), 'r+');
  const page = Buffer.alloc(8192);
  await file.read(page, 0, page.length, block * page.length);
  page[8000] = (page[8000] as number) ^ 1;
  page.writeUInt16LE(pageChecksum(page, block), 8);
  await file.write(page, 0, page.length, block * page.length);
}

/** Changes the URL of the app's database. */
async function readFrom({ configFile }: BackupApp, url: string): Promise<void> {
  const config = parse(await readFile(configFile, 'utf8'));
  config.apps.clinic.sources.database.url = url;
  await writeFile(configFile, stringify(config));
}

test('pieces that one storage lost are fetched from the other and stored there again, without reading the database', {
  skip: needs(17),
}, async () => {
  await using pg = await startPostgres({ major: 17, settings: SETTINGS });
  await fill(pg);
  await using app = await backupApp({ databaseUrl: pg.url(), local: ['a', 'b'], here: true });
  await app.backUp();
  await rm(app.dir.join('b', 'data'), { recursive: true });
  await app.ok(['check', '--quiet'], 4);
  await change(pg);
  await app.backUp();
  assert.equal((await backupFactsOf(app)).kind, 'incremental');
  await rm(app.dir.join('a', 'data'), { recursive: true });
  await assertRestores(app, pg);
});
