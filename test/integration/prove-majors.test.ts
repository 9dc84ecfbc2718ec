/** A healthy point of each major version of PostgreSQL, proven through the command line: what the report tells, and where it is kept. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { majors } from '../support/postgres/server.ts';
import { appOf, clinicServer, levels, proveWith, REFERENCES } from './fixtures/proof-clinic.ts';

const available = (await majors()).filter((major) => major !== 16);

for (const major of available) {
  test(`PostgreSQL ${major}: a healthy point is restored, and accepted by the app's own checks`, async () => {
    await using pg = await clinicServer(major);
    await using app = await appOf(pg, {
      objectives: { rto: '1h' },
      references: REFERENCES,
      proof: {
        assertions: [{ name: 'patients', query: 'select count(*) = 500 from patients' }],
        commands: [
          [
            'sh',
            '-c',
            'test -f "$HOLDFAST_FILES/media/photos/big.jpg" && echo "$HOLDFAST_DATABASE_URL" | grep -q clinic',
          ],
        ],
      },
    });
    const { point } = await app.backUp();
    const report = await proveWith(app, ['--report', app.dir.join('proof.html')]);
    assert.deepEqual([report.outcome, report.level, report.point, report.storage], ['passed', 'accepted', point, 'a']);
    assert.equal(report.checks.length, 12);
    assert.ok(report.checks.every(({ outcome, counted }) => outcome === 'passed' && counted > 0));
    assert.ok(report.rto_seconds! > 0 && report.rto_seconds! <= report.total_seconds);
    assert.equal(report.rto_objective_seconds, 3600);
    assert.equal(report.versions.postgres.database?.original, report.versions.postgres.database?.started);
    assert.ok(report.steps.some(({ step }) => step === 'restore the database'));
    assert.deepEqual(await levels(app), ['accepted']);
    assert.match((await app.ok(['show', 'latest'])).stdout, /proven +accepted on .* from a, restored in/);
    assert.match(await readFile(app.dir.join('proof.html'), 'utf8'), /Proof of recovery: clinic/);
  });
}
