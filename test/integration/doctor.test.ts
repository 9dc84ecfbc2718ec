/** The doctor: each kind of problem is found and told with what mends it; a sound set-up is told so. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import type { DoctorFinding } from '../../src/operations/doctor.ts';
import { init, localStore } from '../support/care.ts';
import { majors, startPostgres, type TestServer } from '../support/postgres/server.ts';
import { type BackupApp, backupApp } from './fixtures/backup-app.ts';
import { filesSource, runBackUp } from './fixtures/backup-run.ts';

const available = await majors();

interface Told {
  readonly code: number | null;
  readonly findings: readonly DoctorFinding[];
  readonly problems: number;
}

async function examine(app: BackupApp, ...args: string[]): Promise<Told> {
  const done = await app.run(['doctor', '--json', ...args]);
  return { code: done.code, ...done.document<{ findings: DoctorFinding[]; problems: number }>() };
}

/** The one problem about `about`, whose words match. */
function problemOf({ findings, code }: Told, about: RegExp, what: RegExp): DoctorFinding {
  const found = findings.filter(
    (each) => each.severity === 'problem' && about.test(each.about) && what.test(each.what),
  );
  assert.equal(found.length, 1, JSON.stringify(findings, null, 1));
  assert.equal(code, 1);
  return found[0]!;
}

test('a sound set-up has no problems, ends with 0, and nothing is left in its storages', async () => {
  await using app = await backupApp({ config: ['compose.yaml', 'conf.d'] });
  await writeFile(app.dir.join('compose.yaml'), 'x: 1\n');
  await mkdir(app.dir.join('conf.d'));
  const files = async () =>
    (await readdir(app.dir.join('a'), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
      .length;
  const before = await files();
  const told = await examine(app);
  assert.equal(told.code, 0, JSON.stringify(told.findings));
  assert.equal(told.problems, 0);
  assert.ok(told.findings.some(({ what, mend }) => /no restore point yet/.test(what) && mend === 'holdfast backup'));
  assert.equal(await files(), before);
  assert.match((await app.run(['doctor'])).stdout, /No problems found/);
});

test('a storage that is gone, one that is another repository, and one that lacks the newest point are told apart', async () => {
  await using app = await backupApp({ local: ['a', 'b', 'c', 'd'] });
  await app.ok(['backup', '--quiet']);
  for (const name of await readdir(app.dir.join('d', 'snapshots'))) await rm(app.dir.join('d', 'snapshots', name));
  await rm(app.dir.join('b'), { recursive: true });
  await rm(app.dir.join('c'), { recursive: true });
  await init([localStore(app.dir, 'c')], 'another');
  const told = await examine(app);
  assert.ok(told.findings.some(({ severity, about }) => severity === 'problem' && about === 'storage b'));
  assert.match(problemOf(told, /^storage c$/, /another repository/).mend, /place of its own/);
  assert.equal(problemOf(told, /^storage d$/, /lacks the newest restore point/).mend, 'holdfast sync');
});

test('sources that are missing are named with what to do', async () => {
  await using app = await backupApp({ local: ['a'], config: ['missing.conf'] });
  await rm(app.media, { recursive: true });
  const told = await examine(app);
  assert.match(problemOf(told, /source media of clinic/, /cannot be listed/).mend, /Mend the path/);
  assert.match(problemOf(told, /source settings of clinic/, /missing\.conf/).mend, /Mend the path/);
});

test('a wrong password and a secret that cannot be had are findings, not a crash', async () => {
  await using app = await backupApp({ local: ['a'] });
  const text = await readFile(app.configFile, 'utf8');
  await writeFile(app.configFile, text.replace('correct horse', 'wrong horse'));
  problemOf(await examine(app), /repository/, /password/i);
  await writeFile(app.configFile, text.replace(/password: .*/, 'password: { env: HOLDFAST_NO_SUCH }'));
  const told = await examine(app);
  assert.match(JSON.stringify(problemOf(told, /password/, /./)), /HOLDFAST_NO_SUCH/);
});

describe('a database', () => {
  let pg: TestServer;
  before(async () => {
    pg = await startPostgres({ major: available[0]! });
    await pg.sql(
      'create role plain login; create role backup login replication; create role app login in role pg_read_all_data',
    );
  });
  after(() => pg?.[Symbol.asyncDispose]());

  test('that can be backed up is told so', async () => {
    await using app = await backupApp({ local: ['a'], databaseUrl: pg.url() });
    const told = await examine(app);
    assert.equal(told.code, 0, JSON.stringify(told.findings));
    assert.ok(told.findings.some(({ severity, what }) => severity === 'good' && /can be backed up/.test(what)));
  });

  test('whose role may not is told with the exact statement, which mends it', async () => {
    await using app = await backupApp({ local: ['a'], databaseUrl: pg.url({ user: 'plain' }) });
    const { mend } = problemOf(await examine(app), /source database of clinic/, /replication/i);
    assert.match(mend, /ALTER ROLE "?plain"? .*REPLICATION;/i);
    await pg.sql(/ALTER ROLE [^;]*;/i.exec(mend)![0]);
    const mended = await examine(app);
    assert.ok(!mended.findings.some(({ severity, what }) => severity === 'problem' && /replication/i.test(what)));
  });

  test('whose WAL should be archived and is not is told what starts it', async () => {
    const about = /source database of clinic/;
    await using streamed = await backupApp({ local: ['a'], databaseUrl: pg.url(), wal: 'stream' });
    const before = await examine(streamed);
    assert.equal(before.code, 0, JSON.stringify(before.findings));
    assert.ok(before.findings.some(({ what, mend }) => /never received/.test(what) && /wal stream/.test(mend)));
    assert.ok(before.findings.some(({ what }) => /moments, sandboxes and proofs can use PostgreSQL/.test(what)));
    await pg.sql("select pg_create_physical_replication_slot('holdfast_clinic_database', true)");
    assert.match(problemOf(await examine(streamed), about, /its disk fills up/).mend, /holdfast wal stream/);
    await pg.sql("select pg_drop_replication_slot('holdfast_clinic_database')");

    await using pushed = await backupApp({ local: ['a'], databaseUrl: pg.url(), wal: 'push' });
    assert.match(
      problemOf(await examine(pushed), about, /archive_mode is off/).mend,
      /archive_command = 'holdfast wal push %p'/,
    );
  });

  test('that cannot be reached is told so', async () => {
    await using app = await backupApp({ local: ['a'], databaseUrl: 'postgres://nobody@127.0.0.1:1/x' });
    problemOf(await examine(app), /source database of clinic/, /./);
  });
});

test('points from the future tell that a clock is wrong', async () => {
  await using app = await backupApp({ local: ['a'] });
  await writeFile(join(app.media, 'x'), 'x');
  const clock = { ...systemClock, now: () => systemClock.now() + 3_600_000 };
  await runBackUp({ stores: [localStore(app.dir, 'a')], sources: [filesSource(app.media)], clock });
  assert.match(problemOf(await examine(app), /clock/, /future/).mend, /time synchronisation/);
});
