/** Proofs of moments, through the command line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMicroseconds } from '../../src/base/relative-time.ts';
import { localStore, open } from '../support/care.ts';
import { archiveLog, commitRows, KNOWING } from '../support/postgres/moments.ts';
import { majors, startPostgres } from '../support/postgres/server.ts';
import { backupApp, fillMedia } from './fixtures/backup-app.ts';
import { appOf, clinicServer, levels, proveWith } from './fixtures/proof-clinic.ts';

const available = (await majors()).filter((major) => major !== 16);
const skip = available.length === 0 && 'needs PostgreSQL';
const newest = available.at(-1) ?? 0;

for (const major of available) {
  test(`PostgreSQL ${major}: a moment is proven with the files before it, and leaves the level of its base alone`, {
    skip,
  }, async () => {
    await using pg = await startPostgres({ major, settings: KNOWING });
    const proof = { assertions: [{ name: 'four rows', query: 'select count(*) = 4 from t' }] };
    await using app = await backupApp({
      databaseUrl: pg.url(),
      local: ['a'],
      here: major !== newest,
      app: { proof, references: [{ query: "select 'x'", source: 'media' }] },
    });
    await commitRows(pg, 1, 2);
    await fillMedia(app.media);
    const { point } = await app.backUp();
    const [, four] = await commitRows(pg, 3, 6);
    const repository = await open([localStore(app.dir, 'a')]);
    await archiveLog(repository, pg);
    await repository.close();
    const at = formatMicroseconds(four!.time);
    const report = await proveWith(app, ['--at', at]);
    assert.deepEqual([report.outcome, report.level, report.point], ['passed', null, point]);
    assert.equal(report.moment?.reached_time, at);
    assert.equal(report.moment?.files_point, point);
    const by = new Map(report.checks.map((check) => [check.check, check]));
    assert.match(by.get('row counts')!.notes.join(), /Counted, not compared/);
    assert.doesNotMatch(by.get('indexes')!.notes.join(), /without amcheck/);
    assert.match(by.get('references')!.notes.join(), /1 of 1 rows .* earlier point than the rows/);
    assert.ok(report.steps.some(({ step }) => step === 'replay the log'));
    assert.deepEqual(await levels(app), ['stored']);
    if (major === newest)
      assert.equal((await proveWith(app, ['--at', 'latest'], 4)).outcome, 'failed', 'six are not four');
  });
}

test('a moment without an archive cannot be proven, and says so', { skip }, async () => {
  await using pg = await clinicServer(newest);
  await using app = await appOf(pg, {}, { here: true });
  await app.backUp();
  const done = await app.run(['prove', '--at', '1m ago', '--json']);
  assert.equal(done.code, 5, done.stderr);
  assert.equal((await app.run(['prove', 'latest', '--at', '1m ago'])).code, 2);
});
