/** Sources at their limits: many directories, long and hostile names, nothing at all. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { appendFile, mkdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { BackUpOutcome } from '../../src/operations/back-up.ts';
import { init, localStores } from '../support/care.ts';
import { need } from '../support/needs.ts';
import { majors, startPostgres } from '../support/postgres/server.ts';
import { runOk } from '../support/run.ts';
import { tempDir } from '../support/temp.ts';
import { backupApp } from './fixtures/backup-app.ts';
import { describeTree } from './fixtures/backup-compare.ts';
import { filesSource, runBackUp } from './fixtures/backup-run.ts';

const restic = await need('restic');
const available = await majors();
const MIB = 1024 * 1024;
/** PATH_MAX counts the zero at the end. */
const LONGEST_PATH = 4095;

test('10,000 files in many directories come back from restic as they were', { skip: restic.skip }, async () => {
  await using app = await backupApp({ local: ['a'] });
  for (let d = 0; d < 100; d++) {
    mkdirSync(join(app.media, `d${d}`));
    for (let i = 0; i < 100; i++) writeFileSync(join(app.media, `d${d}`, `f${i}`), `content ${d}/${i}`);
  }
  const { sources } = await app.backUp();
  assert.equal(sources.media?.files_new, 10_000);
  await using target = await tempDir();
  await app.restic('a').restore('latest', target.path);
  assert.deepEqual(await describeTree(target.join('clinic', 'media')), await describeTree(app.media));
  await app.assertWhole();
});

test('hostile names, and paths as long as the kernel takes them, are kept byte for byte; longer ones are told', {
  skip: restic.skip,
}, async () => {
  await using app = await backupApp({ local: ['a'] });
  const names = [
    '\n',
    ' ',
    '-rf',
    '*',
    '"',
    '\\',
    '\u202egpj',
    '\u0001',
    'é',
    'e\u0301',
    '%00',
    '~',
    '...',
    'a'.repeat(255),
  ];
  for (const name of names) await writeFile(join(app.media, name), name);
  const raw = Buffer.concat([Buffer.from(`${app.media}/`), Buffer.from([0x66, 0xff, 0xfe, 0x80])]);
  await writeFile(raw, 'not UTF-8');
  let deep = app.media;
  const room = () => LONGEST_PATH - Buffer.byteLength(`${deep}/`);
  while (room() > 254) {
    deep = join(deep, 'd'.repeat(250));
    await mkdir(deep);
  }
  const longest = 'x'.repeat(room());
  await writeFile(join(deep, longest), 'deep');
  await runOk('sh', ['-c', 'echo deeper > "$1"', 'sh', `${longest}x`], { cwd: deep }); // only relative names reach it
  let notices: BackUpOutcome['notices'];
  try {
    ({ notices } = await app.backUp([], 3));
  } finally {
    await runOk('rm', ['-rf', join(app.media, 'd'.repeat(250))]); // Node cannot remove what is as deep as this
  }
  assert.deepEqual(
    notices.map(({ kind, item }) => [kind, item]),
    [['unreadable', join(deep, `${longest}x`)]],
  );
  const kept = `media${deep.slice(app.media.length)}/${longest}`;
  assert.equal((await app.ok(['cat', 'latest', kept])).stdout, 'deep');
  await using target = await tempDir();
  // restored where paths are as short as they were
  await app.restic('a').restore('latest', target.path, '--exclude', 'dddddddd*');
  const restored = await describeTree(target.join('clinic', 'media'));
  const source = await describeTree(app.media);
  for (const [name, text] of source)
    if (!name.startsWith('dddd')) assert.equal(restored.get(name), text, JSON.stringify(name));
  const dumped = await app.restic('a').ok('dump', 'latest', `/clinic/${kept}`);
  assert.equal(dumped.stdout, 'deep');
  await app.assertWhole();
});

test('an app without a single file makes a point', { skip: restic.skip }, async () => {
  await using app = await backupApp({ local: ['a'] });
  const first = await app.backUp();
  assert.equal(first.sources.media?.files_new, 0);
  assert.equal((await app.backUp()).sources.media?.files_unmodified, 0);
  await app.assertWhole();
  assert.match((await app.restic('a').ok('ls', 'latest')).stdout, /\/clinic\/media\n/);
});

test('empty files, empty directories and a database without tables make a point that restic restores', {
  skip: restic.skip,
}, async () => {
  await using pg = await startPostgres({ major: available.at(-1)! });
  await using app = await backupApp({ local: ['a'], databaseUrl: pg.url() });
  await mkdir(join(app.media, 'empty', 'emptier'), { recursive: true });
  await writeFile(join(app.media, 'empty', 'file'), '');
  await app.backUp();
  await using target = await tempDir();
  await app.restic('a').restore('latest', target.path, '--include', '/clinic/media');
  assert.deepEqual(await describeTree(target.join('clinic', 'media')), await describeTree(app.media));
  await app.assertWhole();
});

test('files that grow, shrink, change and go are told apart, and equal content is stored once', async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 1);
  await init(stores);
  const media = dir.join('media');
  await mkdir(media);
  const big = randomBytes(16 * MIB);
  for (const name of ['grows', 'shrinks', 'stays', 'goes', 'hides'])
    await writeFile(join(media, name), Buffer.concat([Buffer.from(name), big]));
  const sources = [filesSource(media)];
  await runBackUp({ stores, sources });
  await appendFile(join(media, 'grows'), 'more');
  await writeFile(join(media, 'shrinks'), 'shrinks');
  const hidden = await stat(join(media, 'hides'));
  await writeFile(join(media, 'hides'), Buffer.concat([Buffer.from('HIDES'), big]));
  await utimes(join(media, 'hides'), hidden.atime, hidden.mtime); // size, time and inode of before: only ctime tells
  await runOk('rm', [join(media, 'goes')]);
  await runOk('cp', [join(media, 'stays'), join(media, 'copy')]);
  const { sources: told, bytes_added } = await runBackUp({ stores, sources });
  const { files_new, files_changed, files_unmodified } = told.media!;
  assert.deepEqual(
    { files_new, files_changed, files_unmodified },
    { files_new: 1, files_changed: 3, files_unmodified: 1 },
  );
  assert.ok(bytes_added < 12 * MIB, `${bytes_added}`);
});
