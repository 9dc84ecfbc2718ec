/** The S3 driver against a real service: the contract, object lock, TLS, leftovers, and what the probe finds. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { isFailure } from '../../src/base/failure.ts';
import { manualClock } from '../../src/base/testing/manual-clock.ts';
import { LEFTOVER_AGE, removeLeftovers } from '../../src/storage/leftovers.ts';
import { openStore } from '../../src/storage/open.ts';
import { probeStore } from '../../src/storage/probe.ts';
import { openS3Store } from '../../src/storage/s3/s3-store.ts';
import type { S3StorageSettings } from '../../src/storage/settings.ts';
import { objectStoreContract } from '../../src/storage/testing/contract.ts';
import { startFaultyProxy } from '../support/faulty-proxy.ts';
import '../support/loopback-names.ts';
import { need } from '../support/needs.ts';
import { runOk } from '../support/run.ts';
import { needS3, type TestS3, useS3 } from '../support/s3/shared.ts';
import { tempDir } from '../support/temp.ts';

const { skip } = await needS3();
const openssl = await need('openssl');
let s3: TestS3;
let bucket: string;
let lockable: string;

before(async () => {
  if (skip) return;
  s3 = await useS3();
  bucket = await s3.createBucket();
  lockable = await s3.createBucket(undefined, { objectLock: true });
});
after(() => s3?.stop());

function settings(more: Partial<S3StorageSettings> = {}): S3StorageSettings {
  const { endpoint, accessKeyId, secretAccessKey } = s3;
  return { type: 's3', name: 'ceph', endpoint, accessKeyId, secretAccessKey, bucket, ...more };
}

objectStoreContract('s3', async () => ({ store: openS3Store(settings()) }), { skip });
objectStoreContract(
  's3 as configured, below a prefix',
  async () => ({ store: openStore(settings({ prefix: '/clinic/prod/' })), manyObjects: 20 }),
  { skip },
);
objectStoreContract(
  's3 with the bucket in the host name',
  async () => ({
    store: openStore(settings({ endpoint: s3.byName, pathStyle: false, bucket: await s3.createBucket() })),
    manyObjects: 20,
  }),
  { skip },
);

describe('object lock', { skip }, () => {
  const DAY = 86_400_000;
  const locking = () => openS3Store(settings({ bucket: lockable, objectLock: { days: 1, mode: 'governance' } }));

  test('objects are kept for the configured days, locks never', async () => {
    await using store = disposable(locking());
    const begun = Date.now();
    await store.put('snapshots/kept', randomBytes(9));
    await store.put('locks/free', randomBytes(9), { retainUntil: begun + DAY });
    const kept = await store.stat('snapshots/kept');
    assert.ok((kept?.retainedUntil ?? 0) >= begun + DAY);
    assert.equal((await store.stat('locks/free'))?.retainedUntil, undefined);
  });

  test('what is kept cannot be deleted for good', async () => {
    await using store = disposable(locking());
    await store.put('snapshots/safe', randomBytes(9));
    await assert.rejects(deleteVersions(lockable, 'snapshots/safe'), /AccessDenied/);
  });

  test('retention is prolonged, never shortened, and never set on locks', async () => {
    await using store = disposable(locking());
    const until = Math.ceil(Date.now() / 1000) * 1000 + 3 * DAY;
    await store.put('index/held', randomBytes(9));
    await store.retain('index/held', until);
    await store.retain('index/held', until - DAY);
    assert.equal((await store.stat('index/held'))?.retainedUntil, until);
    await store.put('locks/mine', randomBytes(9));
    await store.retain('locks/mine', until);
    assert.equal((await store.stat('locks/mine'))?.retainedUntil, undefined);
    await assert.rejects(store.retain('index/none', until), (error: unknown) => isFailure(error, 'object_missing'));
  });

  test('large objects in parts are kept too', async () => {
    const MIB = 1024 * 1024;
    const options = {
      ...settings({ bucket: lockable, objectLock: { days: 1 } }),
      multipartThreshold: MIB,
      partSize: 5 * MIB,
    };
    await using store = disposable(openS3Store(options));
    const begun = Date.now();
    await store.put('data/aa/large', randomBytes(6 * MIB));
    assert.ok(((await store.stat('data/aa/large'))?.retainedUntil ?? 0) >= begun + DAY);
  });

  test('the probe finds it where it is, and misses it where the bucket has none', async () => {
    await using with_ = disposable(locking());
    await using without = disposable(openS3Store(settings({ objectLock: { days: 1 } })));
    assert.equal((await probeStore(with_, { objectLock: true })).usable, true);
    const found = await probeStore(without, { objectLock: true });
    assert.deepEqual(broken(found), ['objectLock']);
  });
});

test('the probe finds every guarantee of this service', { skip }, async () => {
  await using store = disposable(openStore(settings()));
  assert.deepEqual(broken(await probeStore(store)), []);
});

test('unfinished uploads older than a day are discarded, younger ones stay', { skip }, async () => {
  await using client = sdkClient();
  const Bucket = await s3.createBucket();
  await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'prod/data/aa/half' }));
  await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'elsewhere/half' }));
  const prod = settings({ bucket: Bucket, prefix: 'prod' });
  assert.equal(await removeLeftovers(prod), 0);
  const tomorrow = manualClock(Date.now() + LEFTOVER_AGE + 60_000);
  assert.equal(await removeLeftovers(prod, { clock: tomorrow }), 1);
  assert.equal(await removeLeftovers(prod, { clock: tomorrow }), 0);
});

describe('over TLS', { skip: skip || openssl.skip }, () => {
  test('objects travel with their bytes unsigned but with MD5; an unknown authority is refused', async () => {
    await using tls = await selfSigned();
    await using proxy = await startFaultyProxy({ upstream: s3.endpoint, tls });
    const options = { ...settings({ endpoint: proxy.endpoint }), certificateAuthorities: tls.cert };
    await using store = disposable(openS3Store(options));
    const bytes = randomBytes(3_000_000);
    await store.put('data/aa/tls', [bytes.subarray(0, 99), bytes.subarray(99)]);
    assert.ok(bytes.equals(await store.get('data/aa/tls')));

    await using stranger = disposable(openS3Store(settings({ endpoint: proxy.endpoint })));
    await assert.rejects(stranger.get('data/aa/tls'), (error: unknown) => isFailure(error, 'storage_refused'));
  });
});

function broken({ guarantees }: Awaited<ReturnType<typeof probeStore>>): string[] {
  return guarantees.filter(({ held }) => !held).map(({ name }) => name);
}

function disposable<T extends { close(): Promise<void> }>(store: T): T & AsyncDisposable {
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() });
}

function sdkClient(): S3Client & AsyncDisposable {
  const { endpoint, accessKeyId, secretAccessKey } = s3;
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
  return Object.assign(client, { [Symbol.asyncDispose]: async () => client.destroy() });
}

async function deleteVersions(Bucket: string, Key: string): Promise<void> {
  await using client = sdkClient();
  const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key }));
  assert.ok(Versions.length > 0);
  for (const { VersionId } of Versions) await client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
}

async function selfSigned() {
  const dir = await tempDir();
  const subject = ['-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', dir.join('key.pem'), '-out', dir.join('cert.pem')];
  const kind = ['-x509', '-nodes', '-days', '1', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  await runOk('openssl', ['req', ...kind, ...subject, ...files]);
  const [key, cert] = await Promise.all(['key.pem', 'cert.pem'].map((name) => readFile(dir.join(name), 'utf8')));
  return { key: key!, cert: cert!, [Symbol.asyncDispose]: () => dir.remove() };
}
