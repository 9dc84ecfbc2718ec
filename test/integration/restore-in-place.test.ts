/** Restoring over what an app uses: confirmed, with hooks, the old state kept, and put back when anything fails. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { test } from 'node:test';
import type { RestoreInPlaceOutcome } from '../../src/operations/restore-in-place.ts';
import { mountable } from '../support/mounts.ts';
import { run, runOk } from '../support/run.ts';
import { flipBit, packFiles } from '../support/spoil.ts';
import { type BackupApp, backupApp } from './fixtures/backup-app.ts';

/** An app whose hooks write down when they run and what they see. */
async function hookedApp(
  options: { before?: string; after?: string; config?: readonly string[] } = {},
): Promise<BackupApp> {
  const look = (name: string) => `echo ${name} $(cat media/file) >> hooks.log`;
  const { before = 'true', after = 'true', config } = options;
  const app = await backupApp({
    local: ['a'],
    ...(config === undefined ? {} : { config }),
    app: {
      hooks: {
        beforeRestore: ['sh', '-c', `${look('stop')}; ${before}`],
        afterRestore: ['sh', '-c', `${look('start')}; ${after}`],
      },
    },
  });
  await writeFile(`${app.media}/file`, 'old');
  return app;
}

const hooks = async (app: BackupApp) =>
  (await readFile(app.dir.join('hooks.log'), 'utf8').catch(() => '')).trim().split('\n');
const inPlace = ['restore', 'latest', '--in-place', '--json'];
const leftovers = async (app: BackupApp) =>
  (await readdir(app.dir.path)).filter((name) => name.includes('.holdfast-new'));

test('the old state is replaced between the hooks, kept beside it, and the printed way back brings it back', async () => {
  await using app = await hookedApp();
  await app.backUp();
  await writeFile(`${app.media}/file`, 'broken');
  await writeFile(`${app.media}/mistake`, 'x');
  const { summary } = await app.ok([...inPlace, '--confirm', 'clinic']);
  const outcome = summary as unknown as RestoreInPlaceOutcome;
  assert.equal(await readFile(`${app.media}/file`, 'utf8'), 'old');
  assert.deepEqual(await readdir(app.media), ['file']);
  assert.deepEqual(await hooks(app), ['stop broken', 'start old']);
  assert.equal(outcome.mode, 'in-place');
  const before = outcome.replaced[0]!.before!;
  assert.equal(await readFile(`${before}/mistake`, 'utf8'), 'x');
  assert.deepEqual(await leftovers(app), []);

  for (const command of outcome.way_back) await runOk('sh', ['-c', command], { cwd: app.dir.path });
  assert.equal(await readFile(`${app.media}/file`, 'utf8'), 'broken');
  assert.deepEqual(await hooks(app), ['stop broken', 'start old', 'stop old', 'start broken']);
});

test('sources of points of their own are replaced together, each by its newest', async () => {
  await using app = await backupApp({ local: ['a'], config: ['compose.yaml'], here: true });
  await writeFile(`${app.media}/file`, 'old');
  await writeFile(app.dir.join('compose.yaml'), 'services: {}');
  await app.backUp();
  await writeFile(`${app.media}/file`, 'newer');
  await app.backUp(['--source', 'media']);
  await writeFile(`${app.media}/file`, 'broken');
  await writeFile(app.dir.join('compose.yaml'), 'broken');
  const { summary } = await app.ok([...inPlace, '--confirm', 'clinic']);
  const { points } = summary as unknown as RestoreInPlaceOutcome;
  assert.deepEqual(
    points.map(({ sources }) => sources),
    [['media'], ['settings']],
  );
  assert.equal(await readFile(`${app.media}/file`, 'utf8'), 'newer');
  assert.equal(await readFile(app.dir.join('compose.yaml'), 'utf8'), 'services: {}');
});

test('without the right name nothing happens, and what would be replaced is listed', async () => {
  await using app = await hookedApp();
  await app.backUp();
  await writeFile(`${app.media}/file`, 'precious');
  for (const confirm of [[], ['--confirm', 'clini'], ['--confirm', '']]) {
    const { code, error } = await app.run([...inPlace, ...confirm]);
    assert.deepEqual([code, error?.error], [2, 'confirmation_missing']);
    assert.ok(JSON.stringify(error?.details).includes(app.media));
  }
  const dry = await app.ok([...inPlace, '--dry-run']);
  assert.equal((dry.summary as unknown as RestoreInPlaceOutcome).replaced[0]?.path, app.media);
  assert.deepEqual(await hooks(app), ['']);
  assert.equal(await readFile(`${app.media}/file`, 'utf8'), 'precious');
  await app.ok([...inPlace, '--confirm', 'media']);
  assert.equal(await readFile(`${app.media}/file`, 'utf8'), 'old', 'the one source that is restored can be named too');
});

test('a hook that cannot stop the app ends the restore before anything is touched', async () => {
  await using app = await hookedApp({ before: 'echo no such container >&2; exit 7' });
  await app.backUp();
  await writeFile(`${app.media}/file`, 'precious');
  const { error } = await app.run([...inPlace, '--confirm', 'clinic']);
  assert.equal(error?.error, 'hook_failed');
  assert.match(String(error?.message), /no such container/);
  assert.equal(await readFile(`${app.media}/file`, 'utf8'), 'precious');
  assert.deepEqual(await leftovers(app), []);
});

test('damage found while the app is stopped: the old state stays, the app is started again', async () => {
  await using app = await hookedApp();
  await writeFile(`${app.media}/large`, randomBytes(1024 * 1024));
  await app.backUp();
  await writeFile(`${app.media}/file`, 'precious');
  await flipBit((await packFiles(app.dir.join('a')))[0]!);
  const { error, code } = await app.run([...inPlace, '--confirm', 'clinic']);
  assert.deepEqual([code, error?.error], [4, 'data_damaged']);
  assert.match(String(error?.message), /The old state of clinic is in place/);
  assert.match(JSON.stringify(error?.details), /media\/large/);
  assert.equal(await readFile(`${app.media}/file`, 'utf8'), 'precious');
  assert.deepEqual(await hooks(app), ['stop precious', 'start precious']);
  assert.deepEqual(await leftovers(app), []);
});

test('a swap that fails half way is taken back, and the app is started with the old state', async () => {
  await using app = await hookedApp({
    config: ['conf/a.conf', 'conf/b.conf'],
    before: 'rm conf/b.conf && mkdir -p conf/b.conf.holdfast-new/x',
  });
  await mkdir(app.dir.join('conf'));
  for (const name of ['a', 'b']) await writeFile(app.dir.join('conf', `${name}.conf`), 'listen 80\n');
  await app.backUp();
  await writeFile(`${app.media}/file`, 'precious');
  await writeFile(app.dir.join('conf', 'a.conf'), 'listen 81\n');
  const { error, code } = await app.run([...inPlace, '--confirm', 'clinic']);
  assert.notEqual(code, 0);
  assert.match(String(error?.message), /The old state of clinic is in place/);
  assert.equal(await readFile(`${app.media}/file`, 'utf8'), 'precious');
  assert.equal(await readFile(app.dir.join('conf', 'a.conf'), 'utf8'), 'listen 81\n');
  assert.deepEqual(await hooks(app), ['stop precious', 'start precious']);
  assert.deepEqual(
    (await readdir(app.dir.path)).filter((name) => name.includes('.holdfast-')),
    [],
  );
});

test('a start that fails is told with the way back; the restored state is in place', async () => {
  await using app = await hookedApp({ after: 'exit 3' });
  await app.backUp();
  await writeFile(`${app.media}/file`, 'broken');
  const { error } = await app.run([...inPlace, '--confirm', 'clinic']);
  assert.equal(error?.error, 'hook_failed');
  assert.match(String(error?.message), /restored state of clinic is in place/);
  assert.match(String(error?.hint), /mv -- .*holdfast-before/);
  assert.equal(await readFile(`${app.media}/file`, 'utf8'), 'old');
});

test('configuration files come back one by one, each with its old version; masked ones are left alone and named', async () => {
  await using app = await hookedApp({ config: ['conf/*.conf', 'app.yaml'] });
  await mkdir(app.dir.join('conf'));
  await writeFile(app.dir.join('conf', 'web.conf'), 'listen 80\n');
  await writeFile(app.dir.join('app.yaml'), 'database_password: hunter2hunter2\nport: 1\n');
  await chmod(app.dir.join('conf', 'web.conf'), 0o640);
  await app.backUp();
  await writeFile(app.dir.join('conf', 'web.conf'), 'listen 81\n');
  const { summary } = await app.ok([...inPlace, '--source', 'settings', '--confirm', 'settings'], 3);
  const outcome = summary as unknown as RestoreInPlaceOutcome;
  assert.equal(await readFile(app.dir.join('conf', 'web.conf'), 'utf8'), 'listen 80\n');
  assert.match(await readFile(app.dir.join('app.yaml'), 'utf8'), /hunter2hunter2/);
  assert.deepEqual(
    outcome.replaced.map(({ path }) => path),
    [app.dir.join('conf', 'web.conf')],
  );
  assert.equal(await readFile(outcome.replaced[0]!.before!, 'utf8'), 'listen 81\n');
  assert.deepEqual(
    outcome.refused.map(({ path }) => path),
    [app.dir.join('app.yaml')],
  );
  assert.match(outcome.refused[0]!.reason, /masked/);
});

test('a link to the directory stays a link; a directory that is gone comes back', async () => {
  await using app = await hookedApp();
  await app.backUp();
  const real = app.dir.join('real');
  await runOk('mv', [app.media, real]);
  await symlink(real, app.media);
  await writeFile(`${real}/file`, 'broken');
  await app.ok([...inPlace, '--confirm', 'clinic']);
  assert.equal(await readFile(`${real}/file`, 'utf8'), 'old');
  await rm(app.media);
  const { summary } = await app.ok([...inPlace, '--confirm', 'clinic']);
  assert.equal((summary as unknown as RestoreInPlaceOutcome).replaced[0]!.before, null);
  assert.equal(await readFile(`${app.media}/file`, 'utf8'), 'old');
});

test('what is mounted is replaced entry by entry, with a way back', await mountable(), async () => {
  await using app = await hookedApp();
  await mkdir(`${app.media}/sub`);
  await writeFile(`${app.media}/sub/deep`, 'deep');
  await app.backUp();
  await runOk('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'none', app.media]);
  try {
    await writeFile(`${app.media}/file`, 'broken');
    const { summary } = await app.ok([...inPlace, '--confirm', 'clinic']);
    const names = async () => (await readdir(app.media)).filter((name) => !name.startsWith('.holdfast-')).sort();
    assert.deepEqual(await names(), ['file', 'sub']);
    assert.equal(await readFile(`${app.media}/file`, 'utf8'), 'old');
    const { way_back } = summary as unknown as RestoreInPlaceOutcome;
    for (const command of way_back) await runOk('sh', ['-c', command], { cwd: app.dir.path });
    assert.deepEqual(await names(), ['file']);
    assert.equal(await readFile(`${app.media}/file`, 'utf8'), 'broken');
  } finally {
    await run('umount', [app.media]);
  }
});

test('what cannot be replaced is refused before the app is stopped', async () => {
  await using app = await hookedApp();
  await app.backUp();
  await rm(app.media, { recursive: true });
  await writeFile(app.media, 'a file now');
  const { error } = await app.run([...inPlace, '--confirm', 'clinic']);
  assert.equal(error?.error, 'target_unsafe');
  assert.deepEqual(await hooks(app), ['']);
  assert.deepEqual(await readdir(dirname(app.media)).then((names) => names.includes('media')), true);
});
