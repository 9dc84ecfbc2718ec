/** An incremental backup that is killed at any moment leaves only whole points, and the next one builds on the last of them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { backupApp } from '../integration/fixtures/backup-app.ts';
import { backupFactsOf } from '../integration/fixtures/backup-facts.ts';
import { HOLDFAST } from '../support/holdfast.ts';
import { need } from '../support/needs.ts';
import { majors, runSql, startPostgres } from '../support/postgres/server.ts';
import { killGroup } from '../support/run.ts';
import { tempDir } from '../support/temp.ts';

const restic = await need('restic');
const KILLS = 4;
const skip = restic.skip || (!(await majors()).includes(18) && 'needs PostgreSQL 18');

test('killed at many moments, it leaves only whole points; the next one is incremental, restores and restic accepts it', {
  skip,
}, async () => {
  await using pg = await startPostgres({ major: 18, settings: { summarize_wal: 'on' } });
  await pg.sql('create table t as select g as id, md5(g::text) as pad from generate_series(1, 50000) g');
  await using app = await backupApp({ databaseUrl: pg.url(), local: ['a'] });
  await app.backUp();
  for (let kill = 0; kill < KILLS; kill++) {
    await pg.sql(`update t set pad = 'round ${kill}' where id % 400 = ${kill}`);
    const child = spawn(HOLDFAST, ['--config', app.configFile, 'backup', '--json'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const over = once(child, 'exit');
    let heard = '';
    for await (const chunk of child.stdout) {
      heard += chunk;
      // from the first sign of the database on, a little later each time
      if (/"step":"database"/.test(heard)) break;
    }
    await sleep(150 * kill);
    killGroup(child.pid);
    await over;
    const { stdout } = await app.ok(['points', '--json']);
    assert.ok((JSON.parse(stdout) as unknown[]).length >= 1);
  }
  await app.backUp();
  assert.equal((await backupFactsOf(app)).kind, 'incremental');
  await app.assertWhole();
  await using target = await tempDir({ open: true });
  await app.ok(['restore', 'latest', '--source', 'database', '--to', target.join('r'), '--quiet']);
  await using restored = await startPostgres({ major: 18, dataDir: target.join('r', 'database') });
  const query = 'select count(*)::int n, sum(hashtextextended(t::text, 0))::text h from t';
  assert.deepEqual((await runSql(restored.url(), query))[0], (await pg.sql(query))[0]);
});
