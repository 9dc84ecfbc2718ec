/** Restoring into a new directory: what comes back, what is refused, what is told. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { link, lstat, mkdir, readFile, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import type { RestoreOutcome } from '../../src/operations/restore.ts';
import { tempDir } from '../support/temp.ts';
import { backupApp, fillMedia } from './fixtures/backup-app.ts';
import { assertSameTree, treeOf } from './fixtures/restore-run.ts';

const MIB = 1024 * 1024;

test('a point comes back as it was: bytes, names, modes, owners, times, links, holes', async () => {
  await using app = await backupApp({ here: true });
  await fillMedia(app.media);
  await link(`${app.media}/run.sh`, `${app.media}/second name`);
  await symlink('nowhere/at all', `${app.media}/dangling`);
  await writeFile(
    Buffer.concat([Buffer.from(`${app.media}/`), Buffer.from([0x66, 0xff, 0x0a])]),
    'no text in its name',
  );
  await truncate(`${app.media}/empty`, 40 * MIB);
  await writeFile(`${app.media}/photos/twice`, await readFile(`${app.media}/photos/big.jpg`));
  await app.backUp();
  const { summary } = await app.ok(['restore', 'latest', '--to', app.dir.join('out'), '--json', '--reason', 'a trial']);
  assertSameTree(await treeOf(app.dir.join('out', 'media')), await treeOf(app.media));
  const sparse = await stat(app.dir.join('out', 'media', 'empty'));
  assert.equal(sparse.size, 40 * MIB);
  assert.ok(sparse.blocks * 512 < MIB, 'zeros are holes');

  const outcome = summary as unknown as RestoreOutcome;
  assert.equal(outcome.mode, 'new-directory');
  assert.equal(outcome.reason, 'a trial');
  assert.match(outcome.by, /.+@.+/);
  assert.deepEqual(outcome.sources, ['media']);
  assert.deepEqual(outcome.problems, []);
  assert.ok(
    outcome.bytes_fetched.a! > 3 * MIB && outcome.bytes_fetched.a! < 6 * MIB,
    'what is used twice is fetched once',
  );
  await assert.rejects(lstat(app.dir.join('out', '.holdfast-restore.json')), 'the marker is gone');
});

test('only what is asked for is restored, with the directories on the way to it', async () => {
  await using app = await backupApp({ here: true, local: ['a'], config: ['.env'] });
  await fillMedia(app.media);
  await writeFile(app.dir.join('.env'), 'DEBUG=no');
  await writeFile(`${app.media}/scan [1].png`, 'brackets are meant as they are');
  await app.backUp();
  const restored = async (...args: string[]) => {
    await using out = await tempDir();
    await app.ok(['restore', 'latest', '--to', out.join('r'), ...args]);
    return [...(await treeOf(out.join('r'))).keys()].filter((name) => !name.endsWith('media'));
  };
  assert.deepEqual(await restored('--path', 'photos/2026/1.jpg'), [
    'media/photos',
    'media/photos/2026',
    'media/photos/2026/1.jpg',
  ]);
  assert.deepEqual(await restored('--path', 'media/run.sh', '--path', '**/29.jpg'), [
    ...['media/photos', 'media/photos/2026', 'media/photos/2026/29.jpg', 'media/run.sh'],
  ]);
  assert.deepEqual(await restored('--path', 'photos/2026/2?.jpg').then((names) => names.length), 12);
  assert.deepEqual(await restored('--source', 'media', '--path', 'scan [1].png'), ['media/scan [1].png']);
  assert.equal((await restored('--path', 'photos')).length, 33);
  const look = ['restore', 'latest', '--dry-run', '--to', app.dir.join('x'), '--path', 'photos', '--json'];
  assert.deepEqual((await app.ok(look)).summary?.sources, ['media'], 'a source that gives nothing is not named');

  const unknown = await app.run(['restore', 'latest', '--to', app.dir.join('x'), '--path', 'photoz/**', '--json']);
  assert.equal(unknown.error?.error, 'path_unknown');
  const outside = await app.run(['restore', 'latest', '--to', app.dir.join('x'), '--path', '../etc/passwd', '--json']);
  assert.equal(outside.error?.error, 'usage');
  const source = await app.run(['restore', 'latest', '--to', app.dir.join('x'), '--source', 'mediaa', '--json']);
  assert.equal(source.error?.error, 'source_unknown');
  assert.match(String(source.error?.hint), /media/);
  await assert.rejects(lstat(app.dir.join('x')), 'nothing was made');
});

test('what exists is not written into: a directory with something in it, a file, an unfinished restore of something else', async () => {
  await using app = await backupApp({ local: ['a'], here: true });
  await writeFile(`${app.media}/one`, 'first');
  const first = await app.backUp();
  await writeFile(`${app.media}/one`, 'second');
  await app.backUp();
  const refused = async (target: string, point = 'latest') => {
    const { error, code } = await app.run(['restore', point, '--to', target, '--json']);
    assert.equal(code, 1);
    return error?.error;
  };
  await mkdir(app.dir.join('full'));
  await writeFile(app.dir.join('full', 'mine'), 'mine');
  assert.equal(await refused(app.dir.join('full')), 'target_exists');
  assert.equal(await refused(app.dir.join('full', 'mine')), 'target_exists');
  await symlink(app.media, app.dir.join('link'));
  assert.equal(await refused(app.dir.join('link')), 'target_exists');
  await mkdir(app.dir.join('other'));
  const marker = { format: 1, point: first.point, sources: [], paths: [], made: true };
  await writeFile(app.dir.join('other', '.holdfast-restore.json'), JSON.stringify(marker));
  assert.equal(await refused(app.dir.join('other')), 'target_exists');
  await app.ok(['restore', first.short_id, '--to', app.dir.join('other')]);
  assert.equal(await readFile(app.dir.join('other', 'media', 'one'), 'utf8'), 'first');

  await app.ok(['restore', 'latest', '--to', app.dir.join('missing', 'target')]);
  const modes = await Promise.all(
    ['missing', 'missing/target'].map(async (path) => (await stat(app.dir.join(path))).mode),
  );
  assert.ok(
    modes.every((mode) => (mode & 0o001) !== 0),
    'the account of a database server gets through what was made',
  );

  await mkdir(app.dir.join('empty'), { mode: 0o750 });
  await app.ok(['restore', 'latest', '--to', app.dir.join('empty')]);
  assert.equal((await stat(app.dir.join('empty'))).mode & 0o777, 0o750, 'a directory that was there keeps its mode');
});

test('a dry run says what would be fetched from where, and changes nothing', async () => {
  await using app = await backupApp({ here: true });
  await writeFile(`${app.media}/one`, randomBytes(MIB));
  await app.backUp();
  const { summary } = await app.ok(['restore', 'latest', '--to', app.dir.join('out'), '--dry-run', '--json']);
  const { mode, files, bytes, bytes_fetched } = summary as unknown as RestoreOutcome;
  assert.deepEqual([mode, files, bytes], ['dry-run', 1, MIB]);
  assert.deepEqual(Object.keys(bytes_fetched), ['a']);
  await assert.rejects(lstat(app.dir.join('out')));
  const only = await app.ok([
    'restore',
    'latest',
    '--to',
    app.dir.join('out'),
    '--dry-run',
    '--json',
    '--storage',
    'b',
  ]);
  assert.deepEqual(Object.keys((only.summary as unknown as RestoreOutcome).bytes_fetched), ['b']);
  const none = await app.run(['restore', 'latest', '--to', app.dir.join('out'), '--storage', 'c', '--json']);
  assert.equal(none.error?.error, 'storage_unknown');
});

test('owners are as recorded, as named, or ours; setuid comes back only with its owner', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, async () => {
  await using app = await backupApp({ local: ['a'], here: true });
  await fillMedia(app.media);
  await app.backUp();
  const look = async (name: string, ...args: string[]) => {
    await app.ok(['restore', 'latest', '--to', app.dir.join(name), ...args]);
    const { uid, gid, mode } = await stat(app.dir.join(name, 'media', 'run.sh'));
    return [uid, gid, (mode & 0o7777).toString(8)];
  };
  assert.deepEqual(await look('recorded'), [0, 0, '4755']);
  assert.deepEqual(await look('named', '--owner', 'nobody:4242'), [65534, 4242, '755']);
  assert.deepEqual(await look('ours', '--no-owner'), [0, 0, '755']);
  assert.equal((await stat(app.dir.join('named'))).uid, 65534, 'the directory itself goes to the owner named');
  const unknown = await app.run(['restore', 'latest', '--to', app.dir.join('x'), '--owner', 'no-such-user', '--json']);
  assert.equal(unknown.error?.error, 'usage');
});

test('sources that are backed up at hours of their own come back together: each from the newest point that has it', async () => {
  await using app = await backupApp({ local: ['a'], config: ['compose.yaml'], here: true });
  await writeFile(`${app.media}/one`, 'x');
  await writeFile(app.dir.join('compose.yaml'), 'services: {}');
  await app.backUp(['--source', 'media']);
  const lacking = await app.ok(['restore', 'latest', '--to', app.dir.join('first'), '--dry-run']);
  assert.match(lacking.stderr, /No point holds settings, which the app has/);
  const whole = await app.backUp();
  await writeFile(`${app.media}/two`, 'xx');
  const part = await app.backUp(['--source', 'media']);
  const restored = async (to: string, ...args: string[]) => {
    const { summary } = await app.ok(['restore', ...args, '--to', app.dir.join(to), '--json']);
    return summary as unknown as RestoreOutcome;
  };
  const from = ({ points }: RestoreOutcome) => points.map(({ short_id, sources }) => [short_id, ...sources]);
  const both = [
    [part.short_id, 'media'],
    [whole.short_id, 'settings'],
  ];
  const told = await app.ok(['restore', 'latest', '--to', app.dir.join('told'), '--dry-run']);
  assert.match(told.stdout, new RegExp(`media of point ${part.short_id}, .*\n +settings of point ${whole.short_id}, `));
  assert.deepEqual(from(await restored('all', 'latest')), both);
  assert.equal(await readFile(app.dir.join('all', 'media', 'two'), 'utf8'), 'xx');
  const all = [...(await treeOf(app.dir.join('all'))).keys()];
  assert.ok(
    all.some((name) => name.startsWith('settings/') && name.endsWith('compose.yaml')),
    all.join(),
  );
  await assert.rejects(lstat(app.dir.join('all', '.holdfast-restore.json')), 'the marker is gone');
  const paths = await restored('paths', 'latest', '--path', '**/compose.yaml', '--path', 'two');
  assert.deepEqual([from(paths), paths.files], [both, 2]);
  const nowhere = await app.run(['restore', 'latest', '--path', 'three', '--to', app.dir.join('x'), '--json']);
  assert.equal(nowhere.error?.error, 'path_unknown');
  assert.deepEqual(from(await restored('settings', 'latest', '--source', 'settings')), [both[1]]);
  assert.deepEqual(from(await restored('part', part.short_id)), [both[0]], 'a point that is named gives what it has');
});

test('a source that the app no longer has does not come back by itself, but when it is named', async () => {
  await using app = await backupApp({ local: ['a'], config: ['compose.yaml'], here: true });
  await writeFile(`${app.media}/one`, 'x');
  await writeFile(app.dir.join('compose.yaml'), 'services: {}');
  await app.backUp();
  const config = parse(await readFile(app.configFile, 'utf8'));
  delete config.apps.clinic.sources.settings;
  await writeFile(app.configFile, stringify(config));
  await app.backUp();
  const sourcesOf = async (...args: string[]) =>
    (await app.ok(['restore', 'latest', '--to', app.dir.join('r'), '--dry-run', '--json', ...args])).summary?.sources;
  assert.deepEqual(await sourcesOf(), ['media']);
  assert.deepEqual(await sourcesOf('--source', 'settings'), ['settings']);
});

test('a restore says where to, or in place, not both', async () => {
  await using app = await backupApp({ local: ['a'], here: true });
  await writeFile(`${app.media}/one`, 'x');
  await app.backUp();
  for (const args of [
    [],
    ['--to', '/tmp/x', '--in-place'],
    ['--in-place', '--path', 'one'],
    ['--to', '/tmp/x', '--confirm', 'clinic'],
  ]) {
    const { code, error } = await app.run(['restore', 'latest', ...args, '--json']);
    assert.deepEqual([code, error?.error], [2, 'usage'], args.join(' '));
  }
});
