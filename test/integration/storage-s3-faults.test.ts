/** The S3 driver when the network or the service breaks: a proxy in front of a real service does it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';
import { type FailureCode, isFailure } from '../../src/base/failure.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { openStore } from '../../src/storage/open.ts';
import type { S3StoreOptions } from '../../src/storage/s3/options.ts';
import { openS3Store } from '../../src/storage/s3/s3-store.ts';
import { type FaultyProxy, type ProxyFault, startFaultyProxy } from '../support/faulty-proxy.ts';
import { needS3, type TestS3, useS3 } from '../support/s3/shared.ts';

const { skip } = await needS3();
let s3: TestS3;
let bucket: string;
let proxy: FaultyProxy;
const opened: ObjectStore[] = [];

before(async () => {
  if (skip) return;
  s3 = await useS3();
  bucket = await s3.createBucket();
  proxy = await startFaultyProxy({ upstream: s3.endpoint });
});
afterEach(() => proxy?.recover());
after(async () => {
  for (const store of opened) await store.close();
  await proxy?.close();
  await s3?.stop();
});

/** Settings for calls that are meant to time out. */
const IMPATIENT = { timeouts: { idle: 500 } };

/** The driver alone, without retries, through the proxy. */
function driver(options: Partial<S3StoreOptions> = {}): ObjectStore {
  const store = openS3Store({ name: 'r2', ...account(), bucket, ...options });
  opened.push(store);
  return store;
}

/** What the configuration opens, with short pauses. */
function whole(): ObjectStore {
  const retry = { firstPause: 5, longestPause: 20 };
  const store = openStore({ type: 's3', name: 'r2', ...account(), bucket }, { retry });
  opened.push(store);
  return store;
}

function account() {
  const { accessKeyId, secretAccessKey } = s3;
  return { endpoint: proxy.endpoint, accessKeyId, secretAccessKey };
}

function failure(code: FailureCode, text = /^r2: /) {
  return (error: unknown) => {
    assert.ok(isFailure(error, code), `expected ${code}, got ${error}`);
    assert.match(error.message, text);
    assert.ok(!JSON.stringify([error.message, error.hint]).includes('testsecret'));
    return true;
  };
}

let counter = 0;
const freshKey = () => `index/${counter++}`;

describe('what the service answers is told in our words', { skip }, () => {
  const answers: Array<[ProxyFault & { kind: 'answer' }, FailureCode, RegExp]> = [
    [{ kind: 'answer', status: 500 }, 'storage_unreachable', /answers 500/],
    [{ kind: 'answer', status: 503, code: 'SlowDown' }, 'storage_unreachable', /slow down/],
    [{ kind: 'answer', status: 429, code: 'TooManyRequests' }, 'storage_unreachable', /answers 429/],
    [{ kind: 'answer', status: 502, body: '<html>Bad gateway</html>' }, 'storage_unreachable', /answers 502/],
    [{ kind: 'answer', status: 401, code: 'Unauthorized' }, 'storage_refused', /access denied/],
    [{ kind: 'answer', status: 403, code: 'AccessDenied' }, 'storage_refused', /access denied/],
    [{ kind: 'answer', status: 403, code: 'SignatureDoesNotMatch' }, 'storage_refused', /secret key does not match/],
    [{ kind: 'answer', status: 403, code: 'RequestTimeTooSkewed' }, 'storage_refused', /clock is wrong/],
    [{ kind: 'answer', status: 404, code: 'NoSuchBucket' }, 'storage_refused', /bucket does not exist/],
    [{ kind: 'answer', status: 403, code: 'QuotaExceeded' }, 'storage_full', /quota/],
    [{ kind: 'answer', status: 507 }, 'storage_full', /no space/],
    [{ kind: 'answer', status: 400, code: 'InvalidRequest' }, 'storage_refused', /answers 400/],
    [
      { kind: 'answer', status: 307, code: 'TemporaryRedirect', headers: { location: 'http://169.254.169.254/' } },
      'storage_refused',
      /redirects elsewhere/,
    ],
  ];
  for (const [fault, code, text] of answers) {
    test(`${fault.status} ${fault.code ?? fault.body ?? ''} is ${code}`, async () => {
      proxy.inject({ fault });
      const store = driver();
      await assert.rejects(store.put('config', randomBytes(100)), failure(code, text));
      await assert.rejects(store.get('config'), failure(code, text));
      await assert.rejects(store.list('')[Symbol.asyncIterator]().next(), failure(code, text));
    });
  }

  test('a page of somebody else at the endpoint is not "no such object"', async () => {
    proxy.inject({ fault: { kind: 'answer', status: 404, body: '<html>Not found</html>' } });
    await assert.rejects(driver().get('config'), failure('storage_refused'));
  });

  test('another status on the conditional write means that the object exists', async () => {
    for (const status of [409, 412]) {
      const rule = proxy.inject({
        method: 'PUT',
        times: 1,
        fault: { kind: 'answer', status, code: 'PreconditionFailed' },
      });
      await assert.rejects(driver().put(freshKey(), randomBytes(9), { ifAbsent: true }), failure('object_exists'));
      rule.remove();
    }
  });

  test('a service that knows no conditional writes is written to without', async () => {
    proxy.inject({ method: 'PUT', times: 1, fault: { kind: 'answer', status: 501, code: 'NotImplemented' } });
    const store = driver();
    const key = freshKey();
    await store.put(key, randomBytes(9), { ifAbsent: true });
    await assert.rejects(store.put(key, randomBytes(9), { ifAbsent: true }), failure('object_exists'));
  });
});

describe('wrong settings are told by name', { skip }, () => {
  test('a bucket that does not exist is refused by every call, not empty', async () => {
    const store = driver({ bucket: 'there-is-no-such-bucket' });
    const refused = failure('storage_refused', /bucket does not exist/);
    await assert.rejects(store.stat('config'), refused);
    await assert.rejects(store.get('config'), refused);
    await assert.rejects(store.put('config', randomBytes(9)), refused);
    await assert.rejects(store.delete('config'), refused);
    await assert.rejects(store.list('')[Symbol.asyncIterator]().next(), refused);
  });

  test('a wrong secret or key is refused with a hint', async () => {
    await assert.rejects(driver({ secretAccessKey: 'wrong' }).get('config'), failure('storage_refused', /secret key/));
    await assert.rejects(driver({ accessKeyId: 'nobody' }).get('config'), failure('storage_refused', /access key/));
    await assert.rejects(driver({ secretAccessKey: 'wrong' }).stat('config'), failure('storage_refused'));
  });

  test('nobody listening is unreachable', async () => {
    const dead = await startFaultyProxy({ upstream: s3.endpoint });
    await dead.close();
    await assert.rejects(driver({ endpoint: dead.endpoint }).get('config'), failure('storage_unreachable', /refused/));
  });

  for (const endpoint of ['ftp://host', 'nonsense', 'https://user:pw@host', 'https://host/?x=1']) {
    test(`the endpoint ${endpoint} is no endpoint`, () => {
      assert.throws(() => driver({ endpoint }), failure('config_invalid'));
    });
  }
});

describe('a network that breaks', { skip }, () => {
  for (const fault of [{ kind: 'cut' }, { kind: 'loseReply' }, { kind: 'answer', status: 503 }] as const) {
    test(`${fault.kind}: the driver says unreachable, and the storage as configured gets over it`, async () => {
      const key = freshKey();
      const bytes = randomBytes(50_000);
      proxy.inject({ times: 1, fault });
      await assert.rejects(driver().put(key, bytes), failure('storage_unreachable'));
      proxy.inject({ times: 2, fault });
      await whole().put(key, bytes);
      proxy.inject({ times: 2, fault });
      assert.ok(bytes.equals(await whole().get(key)));
    });
  }

  test('a service that takes a request and never answers is unreachable', async () => {
    proxy.inject({ fault: { kind: 'hang' } });
    await assert.rejects(
      driver(IMPATIENT).put(freshKey(), randomBytes(9)),
      failure('storage_unreachable', /timed out/),
    );
  });

  test('a body that is cut short is unreachable, never a short object', async () => {
    const key = freshKey();
    const bytes = randomBytes(200_000);
    await driver().put(key, bytes);
    proxy.inject({ method: 'GET', fault: { kind: 'truncate', bytes: 100_000 } });
    await assert.rejects(driver().get(key), failure('storage_unreachable'));
    await assert.rejects(driver().get(key, { offset: 10, length: 150_000 }), failure('storage_unreachable'));
    proxy.recover();
    proxy.inject({ method: 'GET', times: 2, fault: { kind: 'truncate', bytes: 100_000 } });
    assert.ok(bytes.equals(await whole().get(key)));
  });

  test('a body that falls silent is given up', async () => {
    const key = freshKey();
    await driver().put(key, randomBytes(200_000));
    proxy.inject({ method: 'GET', fault: { kind: 'stall', bytes: 100_000 } });
    await assert.rejects(driver(IMPATIENT).get(key), failure('storage_unreachable'));
  });

  test('the total time of a request is bounded even while bytes trickle', async () => {
    proxy.inject({ fault: { kind: 'delay', ms: 60_000 } });
    const timeouts = { idle: 120_000, total: { base: 300, slowest: 1e9 } };
    await assert.rejects(driver({ timeouts }).stat('config'), failure('storage_unreachable', /no answer within/));
  });

  test('the caller gives up at once', async () => {
    proxy.inject({ fault: { kind: 'hang' } });
    const controller = new AbortController();
    const store = driver();
    const call = store.get('config', undefined, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 50);
    await assert.rejects(call, (error: Error) => error.message === 'enough');
  });

  test('creating through lost replies succeeds once and only once', async () => {
    const key = freshKey();
    proxy.inject({ method: 'PUT', times: 1, fault: { kind: 'loseReply' } });
    await whole().put(key, Buffer.from('mine'), { ifAbsent: true });
    await assert.rejects(whole().put(key, Buffer.from('other'), { ifAbsent: true }), failure('object_exists'));
  });

  test('a listing goes on after a page was lost', async () => {
    const store = whole();
    const keys = Array.from({ length: 30 }, (_, index) => `pages/${String(index).padStart(2, '0')}`);
    await Promise.all(keys.map((key) => store.put(key, randomBytes(1))));
    proxy.inject({ method: 'GET', path: /list-type/, times: 3, fault: { kind: 'cut' } });
    const found: string[] = [];
    for await (const page of store.list('pages/')) found.push(...page.map(({ key }) => key));
    assert.deepEqual(found.sort(), keys);
  });

  test('an answer that is not the range asked for is found out instead of believed', async () => {
    const store = driver();
    const key = freshKey();
    await store.put(key, randomBytes(10_000));
    proxy.inject({ method: 'GET', fault: { kind: 'answer', status: 200, body: 'x'.repeat(10_000) } });
    await assert.rejects(store.get(key, { offset: 10, length: 100 }), failure('storage_misbehaves'));
  });
});

describe('large objects go in parts', { skip }, () => {
  const MIB = 1024 * 1024;
  const inParts = { multipartThreshold: 6 * MIB, partSize: 5 * MIB };

  test('and come back whole', async () => {
    const bytes = randomBytes(17 * MIB + 123);
    const store = driver(inParts);
    const parts = [bytes.subarray(0, 7), bytes.subarray(7, 9 * MIB), bytes.subarray(9 * MIB)];
    await store.put('data/aa/large', parts);
    assert.ok(bytes.equals(await store.get('data/aa/large')));
    assert.ok(proxy.requests.some(({ method, path }) => method === 'PUT' && path.includes('partNumber=4')));
    await assert.rejects(store.put('data/aa/large', parts, { ifAbsent: true }), failure('object_exists'));
  });

  test('a part that fails leaves neither object nor parts behind', async () => {
    const store = driver(inParts);
    proxy.inject({ method: 'PUT', path: /partNumber=2/, fault: { kind: 'answer', status: 500 } });
    await assert.rejects(store.put('data/aa/broken', randomBytes(12 * MIB)), failure('storage_unreachable'));
    assert.equal(await store.stat('data/aa/broken'), undefined);
    const aborts = proxy.requests.filter(({ method, path }) => method === 'DELETE' && path.includes('uploadId'));
    assert.equal(aborts.length, 1);
  });
});
