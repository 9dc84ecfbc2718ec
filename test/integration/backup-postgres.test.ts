/** The database of a point, started by a real server of its major version from what restic restored. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { test } from 'node:test';
import { need } from '../support/needs.ts';
import { majors, runSql, startPostgres } from '../support/postgres/server.ts';
import { tempDir } from '../support/temp.ts';
import { backupApp } from './fixtures/backup-app.ts';

const restic = await need('restic');
const available = await majors();

for (const major of [15, 17, 18]) {
  const skip = restic.skip || (!available.includes(major) && `needs PostgreSQL ${major}`);
  test(`PostgreSQL ${major} starts from what restic restored, with the rows committed during the backup`, {
    skip,
  }, async () => {
    await using pg = await startPostgres({ major });
    await pg.sql('create table t (id int primary key, pad text); create table empty_one (x int)');
    const insert = (from: number, to: number) =>
      pg.sql(`insert into t select g, repeat('x', 100) from generate_series(${from}, ${to}) g`);
    await insert(1, 5000);
    await using app = await backupApp({ databaseUrl: pg.url(), local: ['a'] });
    let next = 5001;
    const done = new AbortController();
    const writing = (async () => {
      for (; !done.signal.aborted; next += 10) await insert(next, next + 9);
    })();
    await app.ok(['backup', '--quiet']);
    done.abort();
    await writing;

    await using target = await tempDir({ open: true });
    await mkdir(target.join('r'), { mode: 0o755 });
    await app.restic('a').restore('latest', target.join('r'));
    await app.assertWhole();
    await using restored = await startPostgres({ major, dataDir: target.join('r', 'clinic', 'database') });
    const [row] = await runSql(restored.url(), 'select count(*)::int n, max(id) last from t');
    const { n, last } = row as { n: number; last: number };
    assert.equal(n, last, 'every row up to the newest one is there');
    assert.equal(n % 10, 0, 'transactions are there whole or not at all');
    assert.ok(n > 5000 && n < next, `${n} rows of ${next - 1}`);
  });
}
