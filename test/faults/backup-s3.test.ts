/** Backups into a real S3 service over a network that breaks. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type BackupApp, backupApp, fillMedia } from '../integration/fixtures/backup-app.ts';
import { type FaultyProxy, startFaultyProxy } from '../support/faulty-proxy.ts';
import { LOOPBACK_NAMES } from '../support/loopback-names.ts';
import { need } from '../support/needs.ts';
import { needS3, type TestS3, useS3 } from '../support/s3/shared.ts';

const restic = await need('restic');
const s3Need = await needS3();

describe('an S3 service behind a network that breaks', { skip: s3Need.skip || restic.skip }, () => {
  let s3: TestS3;
  let proxy: FaultyProxy;
  before(async () => {
    s3 = await useS3();
    proxy = await startFaultyProxy({ upstream: s3.endpoint });
  });
  after(async () => {
    await proxy?.close();
    await s3?.stop();
  });

  async function appBehindProxy(): Promise<BackupApp> {
    proxy.recover();
    const app = await backupApp({ local: ['a'], s3: { service: s3, endpoint: proxy.endpoint } });
    await fillMedia(app.media);
    return app;
  }

  test('refused writes of packs are told, and the local copy is complete', async () => {
    await using app = await appBehindProxy();
    proxy.inject({ method: 'PUT', path: /\/data\//, fault: { kind: 'answer', status: 403, code: 'AccessDenied' } });
    const { storages } = await app.backUp([], 3);
    assert.equal(storages.a, 'complete');
    assert.match(storages.cloud!, /^cloud: /);
    await app.assertWhole('a');
    assert.deepEqual(await app.restic('cloud').snapshots(), []);
  });

  test('a service that refuses everything is lost by name, and the local copy is complete', async () => {
    await using app = await appBehindProxy();
    proxy.inject({ fault: { kind: 'answer', status: 403, code: 'AccessDenied' } });
    const { storages } = await app.backUp([], 3);
    assert.equal(storages.a, 'complete');
    assert.match(storages.cloud!, /^cloud: /);
  });

  test('a service that is silent when it is opened holds up neither backup nor restore, and is named', async () => {
    await using app = await appBehindProxy();
    await app.backUp();
    proxy.inject({ fault: { kind: 'hang' } });
    const { storages } = await app.backUp([], 3);
    assert.equal(storages.a, 'complete');
    assert.match(storages.cloud!, /^cloud: no answer 10 s after another storage had answered/);
    const { stdout } = await app.ok(['points', '--json']);
    assert.equal((JSON.parse(stdout) as unknown[]).length, 2);
    await app.ok(['restore', 'latest', '--to', app.dir.join('out'), '--quiet']);
    proxy.recover();
    await app.ok(['sync']);
    await app.assertWhole();
    assert.equal((await app.restic('cloud').snapshots()).length, 2);
  });

  test('a service that falls silent once it is open holds up no backup', async () => {
    await using app = await appBehindProxy();
    proxy.inject({ method: 'PUT', path: /\/locks\//, fault: { kind: 'hang' } });
    const { storages } = await app.backUp([], 3);
    assert.equal(storages.a, 'complete');
    assert.match(storages.cloud!, /^cloud: no answer 10 s after another storage had answered/);
    proxy.recover();
    await app.assertWhole('a');
  });

  test('lost replies, cut connections, errors and short bodies now and then are ridden out', async () => {
    await using app = await appBehindProxy();
    const rules = [
      proxy.inject({ method: 'PUT', path: /\/data\//, times: 2, fault: { kind: 'loseReply' } }),
      proxy.inject({ method: 'PUT', path: /\/index\//, times: 1, fault: { kind: 'loseReply' } }),
      proxy.inject({ method: 'PUT', path: /\/snapshots\//, times: 1, fault: { kind: 'loseReply' } }),
      proxy.inject({ method: 'PUT', path: /\/locks\//, times: 1, fault: { kind: 'cut' } }),
      proxy.inject({ path: /list-type/, times: 1, fault: { kind: 'answer', status: 500 } }),
      proxy.inject({ method: 'GET', path: /\/config\b/, times: 1, fault: { kind: 'truncate', bytes: 10 } }),
    ];
    const { storages } = await app.backUp();
    assert.deepEqual(storages, { a: 'complete', cloud: 'complete' });
    assert.deepEqual(
      rules.map(({ hits }) => hits),
      [2, 1, 1, 1, 1, 1],
    );
    await app.assertWhole();
    assert.equal((await app.restic('cloud').snapshots()).length, 1);
  });

  test('a wrong bucket is refused with what to do, in the path and in the host name, and nothing is made of it', async () => {
    for (const place of [
      { pathStyle: true, endpoint: s3.endpoint },
      { pathStyle: false, endpoint: s3.byName },
    ]) {
      await using app = await backupApp({ local: [], s3: { service: s3 }, storages: { cloud: place } });
      await writeFile(join(app.media, 'photo.jpg'), 'a photo');
      const run = (...args: string[]) => app.run([...args, '--json'], { env: LOOPBACK_NAMES });
      assert.deepEqual((await run('backup')).summary?.storages, { cloud: 'complete' });
      const config = await readFile(app.configFile, 'utf8');
      await writeFile(app.configFile, config.replace(/(?<=bucket: ).*/, 'no-such-bucket'));
      for (const command of ['backup', 'points']) {
        const { code, error } = await run(command);
        assert.deepEqual([command, code, error?.error], [command, 1, 'storage_refused']);
        assert.match(String(error?.message), /^cloud: .* in bucket no-such-bucket: the bucket does not exist/);
        assert.match(String(error?.hint), /Create the bucket, or check bucket, endpoint and region/);
      }
      await app.assertWhole('cloud');
    }
  });
});
