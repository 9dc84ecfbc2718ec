/** The runbook: shown, kept in the points, rehearsed, carried out; a step that fails, a question, somebody who is told that it takes too long. */
import assert from 'node:assert/strict';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RunbookReport } from '../../src/operations/runbook.ts';
import { PASSWORD } from '../support/care.ts';
import { holdfastHere } from '../support/here.ts';
import { holdfast, writeConfig } from '../support/holdfast.ts';
import { tempDir } from '../support/temp.ts';
import { type BackupApp, backupApp, fillMedia } from './fixtures/backup-app.ts';

test('the runbook that every app has: rehearsed without touching it, then carried out', async () => {
  await using app = await backupApp({ app: { objectives: { rto: '10m' } } });
  await fillMedia(app.media);
  await app.backUp();
  const shown = await app.ok(['runbook', 'show']);
  assert.match(shown.stdout, /To be back within 10 min/);
  assert.match(shown.stdout, /^ {4}holdfast restore latest --in-place --confirm clinic$/m);

  await app.backUp();
  const [first, second] = (await app.ok(['points', '--json'])).document<{ id: string }[]>();
  assert.equal((await app.ok(['diff', first!.id, second!.id, '--json'])).stdout.includes('runbook'), false);
  await elsewhere(app, shown.stdout);

  await writeFile(join(app.media, 'written since'), 'the drill leaves it alone');
  const drill = (await app.ok(['runbook', 'drill', '--json'])).summary as unknown as RunbookReport;
  assert.equal(drill.outcome, 'done');
  assert.equal(drill.within_objective, true);
  assert.deepEqual(
    drill.steps.map(({ outcome }) => outcome),
    ['done', 'skipped', 'done', 'skipped', 'skipped', 'skipped'],
  );
  assert.equal(drill.steps[2]?.what, 'holdfast prove latest');
  await stat(join(app.media, 'written since'));

  const asked = await app.run(['runbook', 'run', '--json']);
  assert.equal(asked.code, 1);
  const unanswered = asked.summary as unknown as RunbookReport;
  assert.match(unanswered.steps[1]?.message ?? '', /Somebody must answer/);
  assert.equal(unanswered.steps[2]?.outcome, 'not reached');
  await stat(join(app.media, 'written since'));

  const run = (await app.ok(['runbook', 'run', '--yes', '--json'])).summary as unknown as RunbookReport;
  assert.ok(run.steps.every(({ outcome }) => outcome === 'done'));
  await assert.rejects(stat(join(app.media, 'written since')));
  const reports = (await app.ok(['runbook', 'show', '--reports', '--json'])).document<RunbookReport[]>();
  assert.deepEqual(
    reports.map(({ mode, outcome }) => [mode, outcome]),
    [
      ['drill', 'done'],
      ['run', 'failed'],
      ['run', 'done'],
    ],
  );
  await app.ok(['runbook', 'show', run.id, '--html', app.dir.join('report.html'), '--quiet']);
  assert.match(await readFile(app.dir.join('report.html'), 'utf8'), /<h1>Recovery: clinic<\/h1>/);
  await app.assertWhole('a');
});

test('steps of one’s own: what fails stops it, --from goes on there; who is set for it hears of what takes too long', async () => {
  const steps = [
    { title: 'Say hello', hook: ['sh', '-c', 'echo x >> begun'] },
    { title: 'Is the way free', check: ['test', '-e', 'way-free'], budget: '10s' },
    { title: 'Take a while', hook: ['sleep', '1.2'], budget: '500ms' },
    { title: 'Restore', run: ['restore', '{target}', '{where}'], drill: ['ls', '{target}'] },
  ];
  const escalate = ['sh', '-c', 'echo "$HOLDFAST_STEP $HOLDFAST_BUDGET_SECONDS" > told'];
  await using app = await backupApp({ local: ['a'], app: { runbook: { steps, escalate } } });
  await writeFile(join(app.media, 'file'), 'as it was');
  await app.backUp();
  const target = app.dir.join('new machine');
  const failed = await app.run(['runbook', 'run', '--to', target]);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr + failed.stdout, /failed at step 2 \(Is the way free\)/);
  assert.match(failed.stderr, /--from 2/);
  await writeFile(app.dir.join('way-free'), '');
  const went = await app.ok(['runbook', 'run', '--to', target, '--from', '2', '--json']);
  const report = went.summary as unknown as RunbookReport;
  assert.deepEqual(
    report.steps.map(({ outcome, late }) => [outcome, late]),
    [
      ['skipped', false],
      ['done', false],
      ['done', true],
      ['done', false],
    ],
  );
  assert.equal(report.steps[3]?.what, `holdfast restore latest --to '${target}'`);
  assert.equal(await readFile(join(target, 'media', 'file'), 'utf8'), 'as it was');
  assert.equal(await readFile(app.dir.join('begun'), 'utf8'), 'x\n', 'the first step was not done twice');
  assert.equal(await readFile(app.dir.join('told'), 'utf8'), 'Take a while 0.5\n');

  await rm(app.dir.join('begun'));
  const drill = (await app.ok(['runbook', 'drill', '--json'])).summary as unknown as RunbookReport;
  assert.deepEqual(
    drill.steps.map(({ outcome }) => outcome),
    ['skipped', 'skipped', 'skipped', 'done'],
  );
  await assert.rejects(stat(app.dir.join('begun')), 'a hook is no part of a drill unless it says so');
  const beyond = await app.run(['runbook', 'run', '--from', '9', '--to', target, '--json']);
  assert.equal(beyond.error?.error, 'usage');
});

test('an app whose log is archived goes back to its newest commit, by default and on the printed page', async () => {
  await using dir = await tempDir();
  const database = { type: 'postgres', url: 'postgres://127.0.0.1/never-asked' };
  const steps = async (sources: object, ...more: string[]) => {
    const config = await writeConfig(dir.path, {
      repository: { password: PASSWORD },
      storages: { a: { type: 'local', path: dir.join('a') } },
      apps: { clinic: { sources } },
    });
    const shown = await holdfastHere(['--config', config, 'runbook', 'show', ...more], { env: { WAL: 'push' } });
    return shown.stdout.split('\n').flatMap((line) => /^ {4}(holdfast (?:restore|prove) .*)$/.exec(line)?.[1] ?? []);
  };
  const archived = { ...database, wal: { env: 'WAL' } };
  assert.deepEqual(await steps({ archived }), [
    'holdfast restore --at latest --in-place --confirm clinic --dry-run',
    'holdfast restore --at latest --in-place --confirm clinic',
  ]);
  assert.ok((await steps({ archived }, '--drill')).includes('holdfast prove --at latest'));
  assert.ok((await steps({ database })).includes('holdfast restore latest --in-place --confirm clinic'));
  const two = await steps({ archived, database });
  assert.ok(
    two.includes('holdfast restore latest --in-place --confirm clinic'),
    'a moment is one of a single database',
  );
});

/** With a storage and the password alone: the page that was stored is the one that was shown, with Holdfast and with restic. */
async function elsewhere(app: BackupApp, shown: string): Promise<void> {
  const version = 1;
  const config = app.dir.join('elsewhere.json');
  const content = {
    version,
    repository: { password: PASSWORD },
    storages: { b: { type: 'local', path: app.dir.join('b') } },
  };
  await writeFile(config, JSON.stringify(content));
  const stored = await holdfast(['--config', config, 'runbook', 'show', '--stored']);
  assert.equal(stored.stdout, shown, stored.stderr);
  await holdfast(['--config', config, 'runbook', 'show', '--stored', '--html', app.dir.join('page.html')]);
  const html = await readFile(app.dir.join('page.html'), 'utf8');
  assert.match(html, /<h1>Runbook: clinic<\/h1>/);
  assert.doesNotMatch(html, /src=|href=/);
  assert.equal(
    (await app.restic('b').ok('dump', 'latest', '--tag', 'app=clinic', '/clinic/runbook.txt')).stdout,
    shown,
  );
  const { stdout } = await app.restic('a').ok('ls', 'latest', '--json', '/clinic');
  const nodes = stdout.split('\n').filter((line) => line.includes('"runbook.html"'));
  assert.equal(nodes.length, 1);
  const none = await holdfast(['--config', config, 'runbook', 'show', '--stored', '--app', 'other', '--json']);
  assert.equal(none.error?.error, 'path_unknown');
}
