/** Sandboxes of points: rows as they were, alone in the world, several at once, gone afterwards, also after a kill. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Id } from '../../src/base/ids.ts';
import { runSandbox } from '../../src/operations/sandbox.ts';
import { openSandbox } from '../../src/recovery/sandbox.ts';
import { openStore } from '../../src/storage/open.ts';
import { init } from '../support/care.ts';
import { majors, runSql, startPostgres, type TestServer } from '../support/postgres/server.ts';
import { type TempDir, tempDir } from '../support/temp.ts';
import { openSessionOf, postgresSource, runBackUp } from './fixtures/backup-run.ts';

const available = await majors();

/** What the original stored for its databases and roles: libraries that are not here, more memory than a copy gets, and what queries depend on. */
const STORED = [
  'create database other',
  "alter database other set session_preload_libraries = 'no_such_library'",
  "alter database template1 set session_preload_libraries = 'no_such_library'",
  "alter role postgres in database other set work_mem = '900MB'",
  "alter role postgres set temp_buffers = '900MB'",
  "alter role all set work_mem = '700MB'",
  "alter database other set search_path = 'kept'",
];

for (const major of available) {
  test(`PostgreSQL ${major}: a sandbox of a point has its rows, and can be written to`, async () => {
    await using pg = await startPostgres({ major, settings: { max_connections: '37' } });
    await pg.sql('create table t as select x from generate_series(1, 1000) x');
    for (const statement of STORED) await pg.sql(statement);
    await using world = await sandboxWorld(pg);
    await pg.sql('delete from t');
    await using sandbox = await openSandbox(world.session, world.request());
    assert.equal(sandbox.major, major);
    const [row] = await runSql(sandbox.url(), 'select count(*)::int n, current_user::text u from t');
    assert.deepEqual(row, { n: 1000, u: 'postgres' });
    await runSql(sandbox.url(), 'insert into t values (1001)');
    const shown = await runSql(
      sandbox.url(),
      `select current_setting('archive_mode') a, current_setting('listen_addresses') l, current_setting('max_connections') c,
              current_setting('max_logical_replication_workers') w, current_setting('shared_preload_libraries') p`,
    );
    assert.deepEqual(shown, [{ a: 'off', l: '', c: '37', w: '0', p: '' }]);
    const limits = `select current_setting('work_mem') w, current_setting('shared_buffers') s, current_setting('temp_buffers') t,
              current_setting('session_preload_libraries') p, current_setting('search_path') kept`;
    assert.deepEqual(await runSql(sandbox.url('other'), limits), [
      { w: '16MB', s: '128MB', t: '8MB', p: '', kept: 'kept' },
    ]);
    assert.deepEqual(
      sandbox.steps.map(({ step }) => step),
      ['find', 'restore', 'start'],
    );
    const { directory } = sandbox;
    await sandbox[Symbol.asyncDispose]();
    assert.equal(existsSync(directory), false);
    assert.deepEqual(await readdir(world.sandboxes), []);
  });
}

async function sandboxWorld(pg: TestServer) {
  const dir: TempDir = await tempDir({ prefix: 'hfs', open: true });
  const store = openStore({ type: 'local', name: 'a', path: dir.join('a'), connections: 4 }, { create: true });
  await init([store]);
  const made = await runBackUp({ stores: [store], sources: [postgresSource(pg.url())] });
  const session = await openSessionOf({ stores: [store] });
  const sandboxes = dir.join('sandboxes');
  return {
    session,
    sandboxes,
    request: () => ({
      target: { kind: 'point' as const, point: made.point as Id },
      app: 'clinic',
      directory: sandboxes,
      programs: { path: process.env.PATH },
    }),
    [Symbol.asyncDispose]: async () => {
      await session.repository.close();
      await dir.remove();
    },
  };
}

test('several sandboxes live at once, apart; a port has a password; each ends after its time', async () => {
  const major = available.at(-1)!;
  await using pg = await startPostgres({ major });
  await pg.sql('create table t as select 1 as x');
  await using world = await sandboxWorld(pg);
  await using one = await openSandbox(world.session, world.request());
  await using two = await openSandbox(world.session, { ...world.request(), tcp: true });
  await runSql(one.url(), 'insert into t values (2)');
  assert.deepEqual(await runSql(two.url(), 'select x from t'), [{ x: 1 }]);
  const bare = new URL(two.url());
  assert.equal(bare.hostname, '127.0.0.1');
  bare.password = 'guessed';
  await assert.rejects(runSql(bare.href, 'select 1'), { code: '28P01' });

  const told: string[] = [];
  const { target, ...request } = world.request();
  const ended = await runSandbox(world.session, {
    ...request,
    state: { what: { point: target.point }, shown: 'the point' },
    tcp: false,
    withFiles: false,
    lifetime: 50,
    onReady: async ({ url }) => void told.push(String((await runSql(url, 'select x from t'))[0]?.x)),
  });
  assert.deepEqual([ended.ended, told], ['time', ['1']]);
  assert.equal(existsSync(ended.directory), false);
  assert.equal((await readdir(world.sandboxes)).length, 2, 'the others live on');
});

test('what a dead process left is removed by the next sandbox, what belongs to others is not', async () => {
  await using pg = await startPostgres({ major: available.at(-1)! });
  await using world = await sandboxWorld(pg);
  const leave = async (name: string, owner: object) => {
    await mkdir(join(world.sandboxes, name), { recursive: true });
    await writeFile(join(world.sandboxes, name, 'owner.json'), JSON.stringify(owner));
  };
  await leave('holdfast-sandbox-dead', { system: 'test', pid: 999_999_999, started: '1' });
  await leave('holdfast-sandbox-same-number', { system: 'test', pid: process.pid, started: 'earlier' });
  await leave('holdfast-sandbox-elsewhere', { system: 'another', pid: 999_999_999, started: '1' });
  await leave('something-else', { system: 'test', pid: 999_999_999, started: '1' });
  const sandbox = await openSandbox(world.session, world.request());
  await sandbox[Symbol.asyncDispose]();
  assert.deepEqual((await readdir(world.sandboxes)).sort(), ['holdfast-sandbox-elsewhere', 'something-else']);
});

test('a sandbox that cannot start leaves nothing', async () => {
  await using pg = await startPostgres({ major: available.at(-1)! });
  await using world = await sandboxWorld(pg);
  const broken = { ...world.request(), settings: { shared_preload_libraries: 'no_such_library' } };
  await assert.rejects(openSandbox(world.session, broken), { code: 'postgres_start_failed' });
  assert.deepEqual(await readdir(world.sandboxes), []);
});
