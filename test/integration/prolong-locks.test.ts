/** Object lock on a real S3 service: what points need stays locked although the day it was stored on is long ago. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { manualClock } from '../../src/base/testing/manual-clock.ts';
import { thisProcess } from '../../src/operations/holder.ts';
import { prolongLocks } from '../../src/repository/prolong-locks.ts';
import { listAll } from '../../src/repository/replicas.ts';
import { openRepository } from '../../src/repository/repository.ts';
import { openS3Store } from '../../src/storage/s3/s3-store.ts';
import { pieceKey } from '../../src/wal/piece.ts';
import { holdfastOk, writeConfig } from '../support/holdfast.ts';
import { needS3, type TestS3, useS3 } from '../support/s3/shared.ts';
import { tempDir } from '../support/temp.ts';
import { madeLog } from '../support/wal.ts';

const DAY = 24 * 3600_000;
const need = await needS3();
let s3: TestS3;
before(async () => {
  if (!need.skip) s3 = await useS3();
});
after(() => s3?.stop());

test('prune locks what it leaves for longer once half of the time is over, and never a lock object', need, async () => {
  await using dir = await tempDir();
  const bucket = await s3.createBucket(undefined, { objectLock: true });
  const { endpoint, accessKeyId, secretAccessKey } = s3;
  const lock = { days: 10, mode: 'governance' } as const;
  const storage = { type: 's3', endpoint, bucket, accessKeyId, secretAccessKey, pathStyle: true, objectLock: lock };
  await mkdir(dir.join('media'));
  await writeFile(dir.join('media', 'a'), 'a photograph');
  await writeFile(dir.join('password'), 'correct horse', { mode: 0o600 });
  await writeConfig(dir.path, {
    repository: { password: { file: 'password' } },
    storages: { cloud: storage },
    apps: { clinic: { sources: { media: { type: 'files', path: 'media' } } } },
  });
  await holdfastOk(['init'], { cwd: dir.path });
  await holdfastOk(['backup'], { cwd: dir.path });
  const fresh = await holdfastOk(['prune', '--json'], { cwd: dir.path });
  const storages = fresh.summary?.storages as Record<string, { locks_prolonged: number }>;
  assert.equal(storages.cloud?.locks_prolonged, 0, 'nothing is half over yet');

  const store = openS3Store({ name: 'cloud', region: 'us-east-1', clock: systemClock, ...storage, objectLock: lock });
  const later = manualClock(Date.now() + 6 * DAY);
  const repository = await openRepository([store], 'correct horse', { clock: later, holder: thisProcess() });
  const [replica] = repository.replicas;
  assert.ok(replica);

  const [kept, unneeded] = await madeLog(repository, 2).put(0, 2);
  const going = pieceKey(unneeded!);

  const { objects, failure } = await prolongLocks(repository, replica, new Set([going]));

  assert.equal(failure, undefined);
  const needed = await Promise.all(['data/', 'index/', 'snapshots/', 'keys/'].map((prefix) => listAll(store, prefix)));
  const keys = ['config', pieceKey(kept!), ...needed.flat().map(({ key }) => key)];
  assert.equal(objects, keys.length);
  for (const key of keys) {
    const { retainedUntil = 0 } = (await store.stat(key)) ?? {};
    assert.ok(retainedUntil >= later.now() + 10 * DAY - 1000, key);
  }
  const { retainedUntil = 0 } = (await store.stat(going)) ?? {};
  assert.ok(retainedUntil < later.now() + 9 * DAY, 'what is to go is not locked anew');
  assert.deepEqual(await listAll(store, 'locks/'), []);
  await repository.close();
});
