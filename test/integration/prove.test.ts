/** Proofs of points, through the command line: levels, reports, turns of storages, what is wrong and how that ends. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ProofReport } from '../../src/operations/prove.ts';
import type { StatusReport } from '../../src/operations/status.ts';
import { majors, type TestServer } from '../support/postgres/server.ts';
import { flipBit, packFiles } from '../support/spoil.ts';
import { type BackupApp, backupApp, fillMedia } from './fixtures/backup-app.ts';
import { appOf, clinicServer, failedChecks, levels, proveWith, REFERENCES } from './fixtures/proof-clinic.ts';

const available = (await majors()).filter((major) => major !== 16);
const skip = available.length === 0 && 'needs PostgreSQL';
const newest = available.at(-1) ?? 0;

describe('levels, reports and turns', { skip }, () => {
  let pg: TestServer;
  let app: BackupApp;
  before(async () => {
    pg = await clinicServer(newest);
    app = await appOf(
      pg,
      { references: REFERENCES, objectives: { rto: '1h' } },
      { local: ['a', 'b', 'c'], here: true },
    );
    for (let i = 0; i < 120; i++) await writeFile(join(app.media, `${i}.txt`), `text ${i}`);
    await app.backUp();
  });
  after(async () => {
    await app?.[Symbol.asyncDispose]();
    await pg?.stop('immediate');
  });

  test('a sample restores some of the files and all of the database', async () => {
    const report = await proveWith(app, ['--sample']);
    assert.deepEqual(report.sample, { files: 100, out_of: 154 });
    assert.equal(report.level, 'restored');
    assert.match(report.not_shown.join(), /Of 154 files 100 were drawn/);
    assert.deepEqual(await levels(app), ['restored']);
  });

  test('each storage gets its turn; the one asked for is taken out of turn', async () => {
    const second = await proveWith(app);
    assert.equal(second.storage, 'b');
    assert.deepEqual(second.storages, { a: 'not read', b: 'proven', c: 'not read' });
    assert.equal((await proveWith(app, ['--storage', 'b', '--sample'])).storage, 'b');
    assert.equal((await proveWith(app, ['--sample'])).storage, 'c');
  });

  test('reports are found again by point and by their own id, and give the same page', async () => {
    const all = (await app.ok(['proofs', '--json'])).document<ProofReport[]>();
    assert.deepEqual(
      all.map(({ storage }) => storage),
      ['a', 'b', 'b', 'c'],
    );
    const [first] = all;
    const one = await app.ok(['proofs', first!.id.slice(0, 8), '--json']);
    assert.deepEqual(one.document(), [first]);
    const ofPoint = await app.ok(['proofs', first!.short_id!, '--json']);
    assert.equal(ofPoint.document<unknown[]>().length, 4);
    await app.ok(['proofs', first!.id, '--html', app.dir.join('again.html')]);
    assert.match(await readFile(app.dir.join('again.html'), 'utf8'), new RegExp(first!.id));
    assert.equal((await app.run(['proofs', 'ffff', '--json'])).error?.error, 'point_unknown');
    assert.match((await app.run(['proofs', 'ffff', '--html', app.dir.join('none.html')])).stderr, /no report/);
    await rm(app.dir.join('b', 'meta'), { recursive: true });
    await rm(app.dir.join('c', 'meta'), { recursive: true });
    assert.equal((await app.ok(['proofs', '--json'])).document<unknown[]>().length, 4, 'every storage has them');
  });

  test('where the newest point is one of files alone, the newest with the database is proven, and the way back is measured on it', async () => {
    const [whole] = (await app.ok(['points', '--json'])).document<{ id: string }[]>();
    const { point, short_id: files } = await app.backUp(['--source', 'media']);
    const done = await app.ok(['prove', '--sample', '--json']);
    const report = done.summary as unknown as ProofReport;
    assert.equal(report.point, whole!.id);
    assert.match(done.stderr + done.stdout, new RegExp(`newest point ${files} does not hold database`));
    assert.equal(((await app.ok(['prove', files, '--json'])).summary as unknown as ProofReport).point, point);
    const { objectives } = (await app.ok(['status', '--json'])).document<StatusReport>();
    assert.equal(objectives.find(({ objective }) => objective === 'rto')?.actual, report.rto_seconds);
  });

  test('a dead storage is said, and its turn comes later', async () => {
    await rm(app.dir.join('a'), { recursive: true });
    const done = await app.run(['prove', '--json', '--sample', '--directory', app.dir.join('copies')]);
    assert.equal(done.code, 0, done.stderr);
    const report = done.summary as unknown as ProofReport;
    assert.notEqual(report.storage, 'a');
    assert.match(report.storages.a!, /directory|missing|not exist|no repository/);
    assert.match(report.not_shown.join(), /The storage a could not be read/);
    const asked = await app.run(['prove', '--storage', 'a', '--json']);
    assert.equal(asked.code, 10);
    const unknown = await app.run(['prove', '--storage', 'nowhere', '--json']);
    assert.equal(unknown.error?.error, 'storage_unknown');
  });
});

test('what the app itself had wrong is found in the copy, ends with 4, and gives no level', { skip }, async () => {
  await using pg = await clinicServer(newest);
  const proof = {
    assertions: [{ name: 'more than there are', query: 'select count(*) > 9999 from patients' }],
    commands: [
      ['sh', '-c', 'echo reached postgres://u:hunter2@h/d password=hunter2; exit 7'],
      ['no-such-program-at-all'],
    ],
  };
  await using app = await appOf(pg, { references: REFERENCES, proof }, { here: true });
  await pg.sql(
    `set session_replication_role = replica; delete from patients where id = 9; reset session_replication_role;
     select setval('visits_id_seq', 3); update patients set photo = 'photos/gone.jpg' where id = 4`,
    'clinic',
  );
  await app.backUp();
  const report = await proveWith(app, [], 4);
  assert.equal(report.outcome, 'failed');
  assert.equal(report.level, null);
  assert.deepEqual(failedChecks(report), ['foreign keys', 'sequences', 'references', 'assertions', 'commands']);
  const details = report.checks.flatMap((check) => check.details).join('\n');
  assert.match(details, /visits_patient_fkey of public\.visits: 2 rows/);
  assert.match(details, /visits_id_seq stands at 3/);
  assert.match(details, /1 of 499 rows name a file that is missing \(photos\/gone\.jpg\).* when the backup was made/);
  assert.match(details, /more than there are: it does not hold/);
  assert.match(details, /1\. sh ended with 7\. It said: reached/);
  assert.match(details, /2\. no-such-program-at-all could not be started/);
  assert.doesNotMatch(JSON.stringify(report), /hunter2/);
  assert.deepEqual(await levels(app), ['stored']);
  const kept = (await app.ok(['proofs', '--json'])).document<ProofReport[]>();
  assert.deepEqual(
    kept.map(({ outcome }) => outcome),
    ['failed'],
    'the report of a failure is kept',
  );
  const page = await app.ok(['proofs', 'latest']);
  assert.match(page.stdout, /Not proven/);
});

test('a database that is written to while it is backed up is no false alarm', { skip }, async () => {
  await using pg = await clinicServer(newest);
  await using app = await appOf(pg, {}, { local: ['a'], here: true });
  let isOver = false;
  const writing = (async () => {
    while (!isOver) {
      await pg.sql(
        'insert into visits (patient) select 1 + i % 500 from generate_series(1, 7) i; delete from visits where id % 11 = 0',
        'clinic',
      );
      await pg.sql('begin; insert into visits (patient) values (1); rollback', 'clinic');
    }
  })();
  await app.backUp().finally(() => {
    isOver = true;
  });
  await writing;
  const report = await proveWith(app);
  assert.deepEqual([report.outcome, report.level], ['passed', 'restored']);
});

test('what cannot be looked at in time is told, and ends with 3', { skip }, async () => {
  await using pg = await clinicServer(newest);
  await using app = await appOf(pg, {}, { here: true });
  await app.backUp();
  const report = await proveWith(app, ['--limit', '1ms'], 3);
  assert.deepEqual([report.outcome, report.level], ['incomplete', null]);
  assert.match(report.not_shown.join(), /Not finished in time: .*indexes/);
  assert.deepEqual(await levels(app), ['stored']);
});

test('a storage with damage fails by its own name, with 4; the other one has the next turn and passes', {
  skip,
}, async () => {
  await using pg = await clinicServer(newest);
  await using app = await appOf(pg, {}, { here: true });
  await app.backUp();
  for (const file of await packFiles(app.dir.join('a'))) await flipBit(file);
  const done = await app.run(['prove', '--json', '--directory', app.dir.join('copies')]);
  assert.equal(done.code, 4, done.stderr);
  assert.deepEqual(await readdir(app.dir.join('copies')), []);
  const [error] = (await app.ok(['proofs', '--json'])).document<ProofReport[]>();
  assert.deepEqual([error?.outcome, error?.storage, error?.failure?.code], ['error', 'a', 'data_damaged']);
  const next = await proveWith(app);
  assert.deepEqual([next.storage, next.level], ['b', 'restored'], 'a failed proof was a turn, too');
});

test('an app without a database is restored file by file', { skip }, async () => {
  await using app = await backupApp({
    local: ['a'],
    here: true,
    app: { proof: { commands: [['sh', '-c', 'cat "$HOLDFAST_FILES/media/run.sh"']] } },
  });
  await fillMedia(app.media);
  await app.backUp();
  const report = await proveWith(app);
  assert.deepEqual([report.level, report.checks.map(({ check }) => check)], ['accepted', ['files', 'commands']]);
  assert.match(report.not_shown.join(), /no database/);
});
