/** A whole app into three storages by the real command line, and what other programs make of it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFile, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { BackUpOutcome } from '../../src/operations/back-up.ts';
import type { Manifest } from '../../src/operations/show-point.ts';
import { need } from '../support/needs.ts';
import { majors, startPostgres, type TestServer } from '../support/postgres/server.ts';
import { run, runOk } from '../support/run.ts';
import { needS3, type TestS3, useS3 } from '../support/s3/shared.ts';
import { tempDir } from '../support/temp.ts';
import { type BackupApp, backupApp, fillMedia } from './fixtures/backup-app.ts';
import { describeTree } from './fixtures/backup-compare.ts';

const restic = await need('restic');
const s3Need = await needS3();
const available = await majors();

describe('an app with a database, files and configuration, in two local storages and one in S3', {
  skip: s3Need.skip || restic.skip,
}, () => {
  let s3: TestS3;
  let pg: TestServer;
  let app: BackupApp;

  before(async () => {
    s3 = await useS3();
    pg = await startPostgres({ major: available.includes(17) ? 17 : available[0]! });
    await pg.sql(`create table photos (id serial primary key, file text);
      insert into photos (file) select 'photos/2026/' || g || '.jpg' from generate_series(0, 29) g;
      create table migrations (id int, app text, name text);
      insert into migrations values (1, 'clinic', '0001_initial'), (2, 'clinic', '0002_photos')`);
    app = await backupApp({
      databaseUrl: pg.url(),
      s3: { service: s3 },
      config: ['compose.yaml', 'app.env.example'],
      app: {
        references: [{ query: 'select file from photos order by id', source: 'media' }],
        migrations: { query: "select app || '.' || name from migrations order by id" },
        application: { version: '5.2', git: './checkout' },
      },
    });
    await fillMedia(app.media);
    await writeFile(app.dir.join('compose.yaml'), 'services: {}\n');
    await writeFile(app.dir.join('app.env.example'), 'DEBUG=1\nSECRET_KEY=hunter2-hunter2-hunter2\n');
    const checkout = app.dir.join('checkout');
    const author = ['-c', 'user.name=t', '-c', 'user.email=t@example.org'];
    await runOk('git', ['init', '-q', '-b', 'production', checkout]);
    await runOk('git', ['-C', checkout, ...author, 'commit', '-q', '--allow-empty', '-m', 'first']);
  });

  after(async () => {
    await app?.[Symbol.asyncDispose]();
    await pg?.[Symbol.asyncDispose]();
    await s3?.stop();
  });

  test('the summary tells the point, what was read of each source, what it takes and where it is', async () => {
    const { summary, code } = await app.ok(['backup', '--json', '--label', 'before-upgrade', '--reason', 'Django 5.2']);
    assert.equal(code, 0);
    assert.match(String(summary?.point), /^[0-9a-f]{64}$/);
    assert.equal(summary?.app, 'clinic');
    assert.ok(Date.parse(String(summary?.time)) > 0);
    assert.deepEqual(summary?.storages, { a: 'complete', b: 'complete', cloud: 'complete' });
    const sources = summary?.sources as Record<string, Record<string, number>>;
    assert.deepEqual(Object.keys(sources).sort(), ['database', 'media', 'settings']);
    for (const source of Object.values(sources)) {
      const members = ['bytes_read', 'duration_s', 'files_changed', 'files_new', 'files_unmodified'];
      assert.deepEqual(Object.keys(source).sort(), members);
    }
    assert.equal(sources.media?.files_new, 34);
    assert.equal(sources.settings?.files_new, 2);
    assert.ok(Number(summary?.bytes_added) > Number(summary?.bytes_stored));
    assert.ok(Number(summary?.bytes_stored) > 3_000_000);
    assert.ok(Number(summary?.duration_s) > 0);
  });

  test('a second backup reads nothing that is unchanged and stores little', async () => {
    const { sources, bytes_stored } = await app.backUp();
    assert.deepEqual(
      { ...sources.media, duration_s: 0 },
      { bytes_read: 0, files_new: 0, files_changed: 0, files_unmodified: 34, duration_s: 0 },
    );
    assert.equal(sources.settings?.files_unmodified, 2);
    const { files_new = 0, files_changed = 0, files_unmodified = 0 } = sources.database ?? {};
    assert.ok(files_new + files_changed < 50, `${files_new} new, ${files_changed} changed files of the database`);
    assert.ok(files_unmodified > 500, `${files_unmodified} unmodified files of the database`);
    assert.ok(bytes_stored < 1_500_000, `stored ${bytes_stored}`);
  });

  test('points are listed newest last, as one document', async () => {
    const points = (await app.ok(['points', '--json'])).document<Record<string, unknown>[]>();
    const { id, short_id, time, bytes, ...rest } = points[0]!;
    assert.deepEqual(rest, {
      app: 'clinic',
      label: 'before-upgrade',
      sources: ['database', 'media', 'settings'],
      proof: 'stored',
      pinned: false,
      storages: ['a', 'b', 'cloud'],
    });
    assert.equal(short_id, String(id).slice(0, 8));
    assert.ok(Number(bytes) > 20_000_000);
    assert.ok(String(time) < String(points[1]?.time));
    assert.equal(points[1]?.label, null);
  });

  test('points are chosen by source and by time', async () => {
    await app.ok(['backup', '--source', 'settings', '--quiet']);
    const of = async (...args: string[]) => (await app.ok(['points', '--json', ...args])).document<{ id: string }[]>();
    const all = await of();
    assert.deepEqual(await of('--source', 'settings'), all);
    assert.deepEqual(await of('--source', 'media'), all.slice(0, 2));
    assert.deepEqual(await of('--since', '1h ago'), all);
    assert.deepEqual(await of('--since', '2099-01-01T00:00:00Z'), []);
  });

  test('the manifest tells the machine, the database, the migrations, the checkout and the references', async () => {
    const { manifest, label } = await firstPoint(app);
    assert.equal(label, 'before-upgrade');
    assert.equal(manifest.reason, 'Django 5.2');
    const { database, media } = manifest.sources;
    assert.ok(database?.type === 'postgres' && media?.type === 'files');
    assert.deepEqual(database.facts.migrations, ['clinic.0001_initial', 'clinic.0002_photos']);
    assert.match(database.facts.backup.startLsn, /^[0-9A-F]+\/[0-9A-F]+$/);
    assert.equal(media.totals.files, 34);
    assert.deepEqual(manifest.references, [
      { query: 'select file from photos order by id', source: 'media', rows: 30, missing: 0, missingExamples: [] },
    ]);
    const text = JSON.stringify(manifest);
    assert.match(text, /"branch":"production"/);
    assert.match(text, /5\.2/);
    assert.ok(manifest.notices.some((notice: { kind: string }) => notice.kind === 'masked'));
    assert.ok(!text.includes('hunter2'));
  });

  test('restic sees tags and tree, finds every storage whole, and the secret nowhere', async () => {
    for (const storage of ['a', 'b', 'cloud']) {
      const repository = app.restic(storage);
      const snapshots = await repository.snapshots();
      assert.deepEqual(snapshots[0]?.tags, [
        'holdfast',
        'app=clinic',
        'source=database',
        'source=media',
        'source=settings',
        'label=before-upgrade',
      ]);
      assert.deepEqual(snapshots[0]?.paths, ['/clinic']);
      assert.equal(snapshots[1]?.parent, snapshots[0]?.id);
      const listing = (await repository.ok('ls', snapshots[0]!.id)).stdout;
      for (const path of ['manifest.json', 'database/PG_VERSION', 'media/photos/big.jpg', 'settings/compose.yaml'])
        assert.ok(listing.includes(`/clinic/${path}\n`), path);
      const masked = await repository.ok('dump', snapshots[0]!.id, '/clinic/settings/app.env.example');
      assert.match(masked.stdout, /DEBUG=1/);
      assert.doesNotMatch(masked.stdout, /hunter2/);
      await repository.check();
    }
  });

  test('what restic restores from S3 is the source, byte for byte with its metadata', async () => {
    await using target = await tempDir({ open: true });
    const [first] = await app.restic('cloud').snapshots();
    await app.restic('cloud').restore(first!.id, target.path, '--include', '/clinic/media');
    assert.deepEqual(await describeTree(target.join('clinic', 'media')), await describeTree(app.media));
  });

  test('rows that name missing files are a warning, counted, and listed in the manifest', async () => {
    await rm(join(app.media, 'photos', '2026', '7.jpg'));
    const { summary, lines } = await app.ok(['backup', '--json']);
    const references = summary?.references as { missing: number }[] | undefined;
    assert.equal(references?.[0]?.missing, 1);
    assert.ok(lines.some(({ message }) => /1 of 30 rows name a file/.test(String(message))));
    const { manifest } = (await app.ok(['show', 'latest', '--json'])).document<{ manifest: Manifest }>();
    assert.deepEqual(manifest.references[0]?.missingExamples, ['photos/2026/7.jpg']);
  });

  test('a references query that fails costs the exit status, not the point', async () => {
    await pg.sql('alter table photos rename column file to path');
    const { point, notices } = await app.backUp([], 3);
    assert.match(point, /^[0-9a-f]{64}$/);
    assert.match(JSON.stringify(notices), /could not be checked/);
  });
});

async function firstPoint(app: BackupApp) {
  const [first] = (await app.ok(['points', '--json'])).document<{ id: string }[]>();
  return (await app.ok(['show', first!.id.slice(0, 12), '--json'])).document<{ label: string; manifest: Manifest }>();
}

test('restic brings back extended attributes, the manifest and the runbook', {
  skip: restic.skip || (await need('setfattr')).skip,
}, async () => {
  await using app = await backupApp({ local: ['a'] });
  await writeFile(join(app.media, 'tagged'), 'x');
  await runOk('setfattr', ['-n', 'user.holdfast', '-v', 'kept', join(app.media, 'tagged')]);
  await app.ok(['backup', '--quiet']);
  await using target = await tempDir();
  await app.restic('a').restore('latest', target.path);
  for (const name of ['manifest.json', 'runbook.txt', 'runbook.html']) {
    const restored = await readFile(target.join(`clinic/${name}`), 'utf8');
    assert.ok(restored.length > 100, name); // restic leaves a file empty whose node says no size
    assert.equal(restored, (await app.ok(['cat', 'latest', name])).stdout);
  }
  const { stdout } = await run('getfattr', [
    '--only-values',
    '-n',
    'user.holdfast',
    target.join('clinic/media/tagged'),
  ]);
  assert.equal(stdout, 'kept');
});

test('what looks new but was hashed in an earlier run is known, with the memory of this machine and without it', async () => {
  await using app = await backupApp({ local: ['a'], here: true });
  const backUp = async (...options: string[]) => {
    const env = { XDG_CACHE_HOME: app.dir.join('cache') };
    const { code, summary, stderr } = await app.run(['backup', '--json', ...options], { env });
    assert.equal(code, 0, stderr);
    return summary as unknown as BackUpOutcome;
  };
  const photo = join(app.media, 'photo');
  await writeFile(photo, randomBytes(3_000_000));
  await backUp();
  const [memory] = await readdir(app.dir.join('cache', 'holdfast', 'known-content'));
  const path = app.dir.join('cache', 'holdfast', 'known-content', memory!);
  const written = async () => (await stat(path)).ino; // each writing makes a new file
  const first = await written();

  const touchAndBackUp = async (...options: string[]) => {
    await rename(photo, `${photo}~`);
    await copyFile(`${photo}~`, photo);
    await rm(`${photo}~`);
    const { sources, bytes_added } = await backUp(...options);
    assert.equal(sources.media?.bytes_read, 3_000_000, 'it was read');
    assert.ok(bytes_added < 100_000, 'and known');
  };
  await touchAndBackUp();
  assert.equal(await written(), first, 'all of it was recognised: nothing was learned');
  await touchAndBackUp('--full');
  assert.equal(await written(), first, 'nor by hashing everything');
  await writeFile(path, 'spoiled');
  await touchAndBackUp();
  assert.notEqual(await written(), first, 'learned again');
  await app.assertWhole('a');
});
