/** What happens to the files of an app while it is backed up. */
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Progress } from '../../src/base/progress.ts';
import { showPoint } from '../../src/operations/show-point.ts';
import { serverAccount } from '../../src/postgres/account.ts';
import { init, localStores } from '../support/care.ts';
import { assertWholeStorages } from '../support/judge.ts';
import { need } from '../support/needs.ts';
import { majors, startPostgres, type TestServer } from '../support/postgres/server.ts';
import { runOk } from '../support/run.ts';
import { tempDir } from '../support/temp.ts';
import { backupApp } from './fixtures/backup-app.ts';
import { filesSource, openSessionOf, postgresSource, runBackUp } from './fixtures/backup-run.ts';

const restic = await need('restic');
const available = await majors();

/** Calls `act` at the moment in which the database begins to be copied. */
function whenDatabaseBegins(act: () => void): Progress {
  return (event) => {
    if (event.type === 'step' && event.step === 'database') act();
  };
}

describe('an app whose files change while its database is copied', { skip: restic.skip }, () => {
  let pg: TestServer;
  before(async () => {
    pg = await startPostgres({ major: available.at(-1)! });
    await pg.sql(
      `create table photos (file text); insert into photos values ('old/a.jpg'), ('gone.jpg'), ('moved.jpg')`,
    );
  });
  after(() => pg?.[Symbol.asyncDispose]());

  test('files, directories and renamed files that vanish meanwhile are in the point, and so are new ones', async () => {
    await using dir = await tempDir();
    const media = dir.join('media');
    await mkdir(join(media, 'old'), { recursive: true });
    for (const name of ['old/a.jpg', 'old/b.jpg', 'gone.jpg', 'moved.jpg', 'stays.jpg'])
      await writeFile(join(media, name), `content of ${name}`);
    const stores = localStores(dir, 1);
    await init(stores);
    const outcome = await runBackUp({
      stores,
      sources: [postgresSource(pg.url()), filesSource(media)],
      app: { references: [{ query: 'select file from photos', source: 'media', database: 'database' }] },
      progress: whenDatabaseBegins(() => {
        rmSync(join(media, 'old'), { recursive: true });
        rmSync(join(media, 'gone.jpg'));
        renameSync(join(media, 'moved.jpg'), join(media, 'here.jpg'));
        writeFileSync(join(media, 'new.jpg'), 'new');
      }),
    });
    assert.equal(outcome.partial, false);
    assert.deepEqual(outcome.references[0], { query: 'select file from photos', source: 'media', rows: 3, missing: 0 });
    const kept = outcome.notices.filter(({ reason }) => reason.includes('kept as the first reading found it'));
    assert.deepEqual(kept.map(({ item }) => item).sort(), ['gone.jpg', 'moved.jpg', 'old']);
    await runOk('restic', ['--no-cache', '-r', dir.join('a'), 'restore', 'latest', '--target', dir.join('r')], {
      env: { RESTIC_PASSWORD: 'correct horse battery staple' },
    });
    const read = (name: string) => readFile(dir.join('r', 'clinic', 'media', name), 'utf8');
    for (const name of ['old/a.jpg', 'old/b.jpg', 'gone.jpg', 'moved.jpg', 'stays.jpg'])
      assert.equal(await read(name), `content of ${name}`);
    assert.equal(await read('here.jpg'), 'content of moved.jpg');
    assert.equal(await read('new.jpg'), 'new');
    await assertWholeStorages(dir, 'a');
  });

  test('a file that turns into a directory meanwhile is kept as what it became', async () => {
    await using dir = await tempDir();
    const media = dir.join('media');
    await mkdir(media);
    await writeFile(join(media, 'thing'), 'a file');
    const stores = localStores(dir, 1);
    await init(stores);
    const outcome = await runBackUp({
      stores,
      sources: [postgresSource(pg.url()), filesSource(media)],
      progress: whenDatabaseBegins(() => {
        rmSync(join(media, 'thing'));
        mkdirSync(join(media, 'thing'));
        writeFileSync(join(media, 'thing', 'inside'), 'x');
      }),
    });
    assert.match(outcome.notices[0]?.reason ?? '', /was a file at first/);
    const { manifest } = await showPoint(await openSessionOf({ stores }), 'clinic', outcome.point);
    assert.equal(manifest.sources.media?.totals.files, 1);
    assert.equal(manifest.sources.media?.totals.directories, 2);
  });

  test('a server that stops meanwhile fails the run clearly, and no point is made', async () => {
    await using dir = await tempDir();
    const stores = localStores(dir, 2);
    await init(stores);
    await mkdir(dir.join('media'));
    await using own = await startPostgres({ major: available[0]! });
    await own.sql(`create table big as select g, repeat('x', 500) from generate_series(1, 60000) g`);
    let stopping: Promise<void> | undefined;
    const failed = await runBackUp({
      stores,
      sources: [postgresSource(own.url()), filesSource(dir.join('media'))],
      progress: (event) => {
        if (event.type === 'advance' && event.step === 'database') stopping ??= own.instance.stop('immediate');
      },
    }).catch((error: unknown) => error as { code: string; message: string });
    await stopping;
    assert.ok('code' in failed, 'it must not succeed');
    assert.match(failed.code, /^postgres_/);
    for (const name of ['a', 'b']) {
      const { stdout } = await runOk('restic', ['--no-cache', '-r', dir.join(name), 'snapshots', '--json'], {
        env: { RESTIC_PASSWORD: 'correct horse battery staple' },
      });
      assert.deepEqual(JSON.parse(stdout), []);
    }
    await assertWholeStorages(dir, 'a', 'b');
  });
});

test('a file that never holds still is kept and marked, and the point is whole', async () => {
  await using dir = await tempDir();
  await mkdir(dir.join('media'));
  const log = dir.join('media', 'app.log');
  await writeFile(log, Buffer.alloc(24 * 1024 * 1024, 'line\n'));
  const stores = localStores(dir, 1);
  await init(stores);
  const done = new AbortController();
  const writing = (async () => {
    while (!done.signal.aborted) await appendFile(log, 'more\n');
  })();
  const outcome = await runBackUp({ stores, sources: [filesSource(dir.join('media'))] });
  done.abort();
  await writing;
  assert.deepEqual(
    outcome.notices.map(({ kind, item }) => [kind, item]),
    [['changed', log]],
  );
  assert.equal(outcome.partial, false);
  await assertWholeStorages(dir, 'a');
});

const account = serverAccount();
test('what cannot be read is listed, the rest is kept, and the command ends with 3', {
  skip: account === undefined ? 'needs root, to run the command as another user' : restic.skip,
}, async () => {
  const uid = account!.uid;
  await using app = await backupApp({ local: ['a'], config: ['secret.conf', 'missing.conf'] });
  await writeFile(join(app.media, 'open.txt'), 'open');
  await writeFile(join(app.media, 'closed.txt'), 'closed', { mode: 0o000 });
  await mkdir(join(app.media, 'closed'), { mode: 0o000 });
  await writeFile(app.dir.join('secret.conf'), 'x=1', { mode: 0o000 });
  await runOk('chown', ['-R', `${uid}:${account!.gid}`, app.dir.join('a'), app.configFile]);
  const done = await app.run(['backup', '--json'], { uid, gid: account!.gid, env: { HOME: app.dir.path } });
  assert.equal(done.code, 3, done.stdout + done.stderr);
  const notices = done.summary?.notices as { kind: string; item: string; source: string }[];
  const unreadable = notices.filter(({ kind }) => kind === 'unreadable').map(({ item }) => item);
  const expected = ['media/closed', 'media/closed.txt', 'secret.conf'].map((name) => app.dir.join(name));
  assert.deepEqual(unreadable.sort(), [...expected, 'missing.conf']);
  assert.match(done.stdout, /"media":\{"bytes_read":4,"files_new":1,/);
  const shown = (await app.ok(['show', 'latest'])).stdout;
  assert.match(shown, /closed\.txt/);
  await app.assertWhole();
});
