/** Sandboxes of points: rows as they were, alone in the world, several at once, gone afterwards, also after a kill. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import type { Id } from '../../src/base/ids.ts';
import { openSandbox } from '../../src/recovery/sandbox.ts';
import { openStore } from '../../src/storage/open.ts';
import { init } from '../support/care.ts';
import { majors, runSql, startPostgres, type TestServer } from '../support/postgres/server.ts';
import { type TempDir, tempDir } from '../support/temp.ts';
import { openSessionOf, postgresSource, runBackUp } from './fixtures/backup-run.ts';

const available = await majors();

for (const major of available) {
  test(`PostgreSQL ${major}: a sandbox of a point has its rows, and can be written to`, async () => {
    await using pg = await startPostgres({ major, settings: { max_connections: '37' } });
    await pg.sql('create table t as select x from generate_series(1, 1000) x');
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
