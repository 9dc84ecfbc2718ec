/** The archive in a bucket: listed by stretches, read past a damaged copy in a directory, checked, folded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from '../../src/operations/check.ts';
import { walFold } from '../../src/operations/wal-fold.ts';
import { openS3Store } from '../../src/storage/s3/s3-store.ts';
import { WalArchive } from '../../src/wal/archive.ts';
import { init, localStores, open, openSession } from '../support/care.ts';
import { needS3, useS3 } from '../support/s3/shared.ts';
import { tempDir } from '../support/temp.ts';
import { CLUSTER, madeLog, SEGMENT } from '../support/wal.ts';

const { skip } = await needS3();

test('log is archived into a bucket and read back, loose and folded', { skip }, async () => {
  const s3 = await useS3();
  try {
    await using dir = await tempDir();
    const { endpoint, accessKeyId, secretAccessKey } = s3;
    const place = { bucket: await s3.createBucket(), prefix: 'prod', region: 'us-east-1', connections: 4 };
    const bucket = openS3Store({ name: 'ceph', endpoint, accessKeyId, secretAccessKey, ...place });
    const stores = [...localStores(dir, 1), bucket];
    await init(stores);
    const log = madeLog(await open(stores), 4);
    const [first] = await log.put(0, 3.5);
    for await (const page of stores[0]!.list('wal/'))
      for (const { key, size } of page) if (key.endsWith(first!.hash)) await stores[0]!.put(key, Buffer.alloc(size));
    const read = async (from: readonly (typeof bucket)[]) => {
      const archive = new WalArchive(await open(from), CLUSTER);
      const parts: Buffer[] = [];
      for await (const run of archive.read(1, 0n, BigInt(3.5 * SEGMENT), await archive.list())) parts.push(run.bytes);
      return Buffer.concat(parts);
    };
    const whole = log.bytes.subarray(0, 3.5 * SEGMENT);
    assert.deepEqual(await read(stores), whole);
    const scope = { timeline: 1, from: BigInt(SEGMENT), to: BigInt(2 * SEGMENT) };
    const near = await new WalArchive(await open([bucket]), CLUSTER).list(scope);
    assert.ok(near.pieces.some(({ piece }) => piece.start === BigInt(SEGMENT)));
    assert.deepEqual((await check(await openSession([bucket]))).findings, []);
    const packing = { packSize: 4 * SEGMENT, compression: 3 };
    const input = { app: 'clinic', foldAfter: undefined, packing, programVersion: '0', systemIdentifier: CLUSTER };
    assert.equal((await walFold(await openSession([bucket]), input)).removed, 3);
    assert.deepEqual(await read([bucket]), whole);
  } finally {
    await s3.stop();
  }
});
