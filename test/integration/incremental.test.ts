/** Points made from changes: each is whole, starts by itself, and is what the server has, byte for byte. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { need } from '../support/needs.ts';
import { majors, runSql, startPostgres, type TestServer } from '../support/postgres/server.ts';
import { startStandby } from '../support/postgres/standby.ts';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';
import { type BackupApp, backupApp } from './fixtures/backup-app.ts';
import { backupFactsOf } from './fixtures/backup-facts.ts';

const restic = await need('restic');
const available = await majors();
const GIB = 1024 ** 3;
/** Of the test of tablespaces: each has a table `v`. */
const DATABASES = ['away', 'back'];
const SETTINGS = { summarize_wal: 'on', autovacuum: 'off' };

const CONTENT = `
  select (select count(*)::int from t) as t, (select sum(hashtextextended(t::text, 0))::text from t) as t_rows,
         (select count(*)::int from u) as u, (select sum(hashtextextended(u::text, 0))::text from u) as u_rows,
         (select sum(hashtextextended(w::text, 0))::text from w) as w_rows`;

/** What happens before each incremental backup. */
const STEPS: readonly (readonly string[])[] = [
  ["update t set pad = repeat('y', 100) where id % 500 = 1", 'delete from u where id < 50'],
  [
    'truncate u',
    'insert into u select g from generate_series(1, 5) g',
    'drop table gone',
    'create table w as select 1 as id',
  ],
  ['vacuum full t', "insert into t select g, 'more' from generate_series(20001, 23000) g"],
  ['delete from t where id > 4000', 'vacuum t', 'create database other strategy file_copy'],
  ["insert into t select g, 'again' from generate_series(30001, 30100) g", 'reindex table t'],
];

for (const { major, restores } of [
  { major: 17, restores: [1, 2] },
  { major: 18, restores: [] },
] as { major: number; restores: number[] }[]) {
  const skip = restic.skip || (!available.includes(major) && `needs PostgreSQL ${major}`);
  test(`PostgreSQL ${major}: after one, two and five incremental backups a point starts with every row, and is the server's files byte for byte`, {
    skip,
  }, async () => {
    await using pg = await startPostgres({ major, settings: SETTINGS });
    await fill(pg);
    await using app = await backupApp({ databaseUrl: pg.url(), local: ['a'], here: true });
    await app.backUp();
    assert.equal((await backupFactsOf(app)).kind, 'full');
    for (const [i, statements] of STEPS.entries()) {
      for (const statement of statements) await pg.sql(statement);
      await app.backUp();
      const facts = await backupFactsOf(app);
      assert.equal(facts.kind, 'incremental', facts.fallback);
      assert.equal(facts.lastFull?.incrementals, i + 1);
      if (restores.includes(i + 1)) await assertStarts(app, pg, i > 0);
    }
    await assertNeedsNoOther(app, pg); // restores the fifth
    await app.assertWhole();
  });
}

test('tables, indexes and databases that move between tablespaces, and a table that shrinks and grows, come back', {
  skip: restic.skip || (!available.includes(17) && 'needs PostgreSQL 17'),
}, async () => {
  await using pg = await startPostgres({ major: 17, settings: SETTINGS });
  await fill(pg);
  for (const name of DATABASES) {
    await pg.sql(`create database ${name} strategy file_copy`);
    await runSql(pg.url({ database: name }), 'create table v as select g as id from generate_series(1, 3000) g');
  }
  await pg.sql('create table w as select 1 as id');
  await using app = await backupApp({ databaseUrl: pg.url(), local: ['a'], here: true });
  const space = pg.directory.join('space');
  await mkdir(space);
  await import('../../src/postgres/account.ts').then(({ giveTo, serverAccount }) => {
    const account = serverAccount();
    return account && giveTo(account, space);
  });
  await app.backUp();
  await pg.sql(`create tablespace fast location '${space}'`);
  await pg.sql('create table there tablespace fast as select g as id from generate_series(1, 5000) g');
  await app.backUp();
  // cut short by vacuum, then longer than before by whole extents, whose last pages no log record speaks of
  await pg.sql('delete from t where id > 100');
  await pg.sql('vacuum t');
  await pg.sql("copy t from program $$seq 50001 53000 | sed 's/$/\\tzzzzzzzzzzzzzzzzzzzzzzzzz/'$$");
  await pg.sql('update there set id = -id where id = 77');
  await pg.sql('alter table there set tablespace pg_default');
  await pg.sql('alter table u set tablespace fast');
  // a database keeps the names of its files when it moves: away, and back with other rows, where those of the earlier point have been
  for (const name of DATABASES) {
    await pg.sql(`alter database ${name} set tablespace fast`);
    await runSql(pg.url({ database: name }), 'update v set id = -id where id > 1000');
  }
  await pg.sql('alter database back set tablespace pg_default');
  await app.backUp();
  assert.equal((await backupFactsOf(app)).kind, 'incremental');
  await assertStarts(app, pg, true, DATABASES);
});

test('a standby gives incremental points, too', {
  skip: !available.includes(18) && 'needs PostgreSQL 18',
}, async () => {
  await using primary = await startPostgres({ major: 18, settings: SETTINGS });
  await fill(primary);
  await using standby = await startStandby(primary, SETTINGS);
  await using app = await backupApp({ databaseUrl: standby.url(), local: ['a'], here: true });
  await app.backUp();
  await primary.sql("update t set pad = 'changed' where id % 500 = 1; truncate u; create table w as select 1 as id");
  await primary.sql('checkpoint');
  const [at] = await primary.sql('select pg_current_wal_lsn()::text as lsn');
  await until(async () => {
    const [replayed] = await standby.sql(`select pg_last_wal_replay_lsn() >= '${at?.lsn}'::pg_lsn as done`);
    return replayed?.done === true;
  });
  await standby.sql('checkpoint'); // a restart point: the copy begins there
  await app.backUp();
  const facts = await backupFactsOf(app);
  assert.equal(facts.kind, 'incremental', facts.fallback);
  await using target = await tempDir({ open: true });
  await app.ok(['restore', 'latest', '--source', 'database', '--to', target.join('r'), '--quiet']);
  await using restored = await startPostgres({ major: 18, dataDir: target.join('r', 'database') });
  assert.deepEqual(await restored.sql(CONTENT), await primary.sql(CONTENT));
});

test('a relation of more than a gigabyte, in two files, changes, is cut short into the first, and comes back', {
  skip: !available.includes(17) && 'needs PostgreSQL 17',
}, async () => {
  await using pg = await startPostgres({ major: 17, settings: SETTINGS });
  await fill(pg);
  await pg.sql("create table w as select g as id, repeat('w', 100) as pad from generate_series(1, 500) g; checkpoint");
  const [row] = await pg.sql("select pg_relation_filepath('w') as path");
  const [first, second] = [join(pg.dataDir, String(row?.path)), join(pg.dataDir, `${row?.path}.1`)];
  await pg.instance.stop();
  await truncate(first, GIB); // pages of zeros, as a crash leaves them: the server takes them for free ones
  await writeFile(second, '');
  await truncate(second, 16 * 8192);
  await using grown = await startPostgres({ major: 17, settings: SETTINGS, dataDir: pg.dataDir });
  await using app = await backupApp({ databaseUrl: grown.url(), local: ['a'], here: true });
  await app.backUp();

  await grown.sql("insert into w select g, repeat('z', 100) from generate_series(1001, 1300) g");
  const [last] = await grown.sql('select (max(ctid)::text::point)[0]::int as block from w');
  assert.ok(Number(last?.block) >= GIB / 8192, `block ${last?.block} is in the second file`);
  await app.backUp();
  assert.equal((await backupFactsOf(app)).kind, 'incremental');
  await using target = await tempDir({ open: true });
  await app.ok(['restore', 'latest', '--path', `database/${row?.path}.1`, '--to', target.join('one'), '--quiet']);
  const restored = await readFile(target.join('one', 'database', `${row?.path}.1`));
  assert.ok(restored.equals(await readFile(second)));

  await grown.sql('delete from w where id > 1000');
  await grown.sql('vacuum w');
  await app.backUp();
  await assertStarts(app, grown, true);
});

async function fill(pg: TestServer): Promise<void> {
  await pg.sql(`create table t as select g as id, repeat('x', 100) as pad from generate_series(1, 20000) g;
    alter table t add primary key (id);
    create table u as select g as id from generate_series(1, 2000) g;
    create table gone as select g as id from generate_series(1, 2000) g`);
  await pg.sql('vacuum');
}

/** Restores the newest point and starts it; compares rows, and before that files. */
async function assertStarts(app: BackupApp, pg: TestServer, hasW: boolean, databases: readonly string[] = []) {
  await using target = await tempDir({ open: true });
  await app.ok(['restore', 'latest', '--source', 'database', '--to', target.join('r'), '--quiet']);
  const dataDir = target.join('r', 'database');
  await assertSameFiles(pg, dataDir);
  const content = hasW ? CONTENT : CONTENT.replace('from w)', 'from (select 1) w)');
  const [expected] = await pg.sql(content);
  await using restored = await startPostgres({ major: pg.major, dataDir });
  const [found] = await runSql(restored.url(), content);
  assert.deepEqual(found, expected);
  for (const database of databases) {
    const sum = 'select count(*)::int as n, sum(id)::int as sum from v';
    assert.deepEqual(await runSql(restored.url({ database }), sum), await runSql(pg.url({ database }), sum), database);
  }
  const [amcheck] = await runSql(
    restored.url(),
    "select count(*)::int n from pg_available_extensions where name = 'amcheck'",
  );
  if (amcheck?.n === 1) {
    await runSql(restored.url(), 'create extension if not exists amcheck');
    await runSql(restored.url(), "select bt_index_check('t_pkey', true)");
  }
}

/** Every file of a relation as it lies on the server's disk: main fork in all its files, maps of free space and of visibility, and init fork. */
async function assertSameFiles(pg: TestServer, dataDir: string): Promise<void> {
  const rows = await pg.sql(
    "select pg_relation_filepath(oid) as path, relname from pg_class where relkind in ('r', 'i') and relnamespace = 'public'::regnamespace",
  );
  assert.ok(rows.length > 1);
  const forks = new Set<string>();
  for (const { path, relname } of rows) {
    for (const file of await filesOf(pg.dataDir, String(path))) {
      const live = await readFile(join(pg.dataDir, file));
      const restored = await readFile(join(dataDir, file));
      assert.equal(restored.length, live.length, `${relname}, ${file}: length`);
      assert.ok(restored.equals(live), `${relname}, ${file}: bytes`);
      forks.add(/_[a-z]+/.exec(basename(file))?.[0] ?? 'main');
    }
  }
  assert.ok(['main', '_fsm', '_vm'].every((fork) => forks.has(fork)));
}

async function filesOf(root: string, path: string): Promise<string[]> {
  const names = await readdir(join(root, dirname(path)));
  const own = new RegExp(`^${basename(path)}(\\.\\d+|_[a-z]+)?$`);
  return names.filter((name) => own.test(name)).map((name) => join(dirname(path), name));
}

/** Without any earlier point, and without what only those needed. */
async function assertNeedsNoOther(app: BackupApp, pg: TestServer): Promise<void> {
  const { stdout } = await app.ok(['points', '--json']);
  const points = JSON.parse(stdout) as { id: string }[];
  for (const { id } of points.slice(0, -1)) await app.ok(['forget', id, '--quiet']);
  await app.ok(['prune', '--quiet']);
  await assertStarts(app, pg, true);
}
