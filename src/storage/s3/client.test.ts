/** What goes out to a bucket: how it is addressed, with which checksums, over how many connections. Nothing is sent. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { connect } from './client.ts';
import type { S3StoreOptions } from './options.ts';
import { md5, Requests } from './requests.ts';

const ACCOUNT = { name: 'r2', bucket: 'clinic', accessKeyId: 'key', secretAccessKey: 'secret' } as const;
const BODY = Buffer.from('a pack');

interface Outgoing {
  readonly protocol: string;
  readonly hostname: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The request that puts an object, as it would be handed to the network. */
async function outgoing(options: Partial<S3StoreOptions>): Promise<Outgoing> {
  const { sdk, client } = await connect({ ...ACCOUNT, ...options });
  let request: Outgoing | undefined;
  client.middlewareStack.add(
    () => (args) => {
      request = args.request as Outgoing;
      return Promise.reject(new Error('stopped before the network'));
    },
    { step: 'deserialize', priority: 'low' },
  );
  const input = { Bucket: ACCOUNT.bucket, Key: 'prod/config', Body: BODY, ContentMD5: md5(BODY) };
  await assert.rejects(client.send(new sdk.PutObjectCommand(input)), /stopped before the network/);
  client.destroy();
  assert.ok(request);
  return request;
}

test('a bucket is addressed by path at an endpoint, by its own host on AWS, and as pathStyle says', async () => {
  const endpoint = 'https://s3.example:9000';
  const placeOf = async (options: Partial<S3StoreOptions>) => {
    const { protocol, hostname, path } = await outgoing(options);
    return `${protocol}//${hostname}${path}`;
  };
  const byPath = 'https://s3.example/clinic/prod/config';
  const byHost = 'https://clinic.s3.example/prod/config';
  assert.equal(await placeOf({ endpoint }), byPath);
  assert.equal(await placeOf({ endpoint, pathStyle: true }), byPath);
  assert.equal(await placeOf({ endpoint, pathStyle: false }), byHost);
  assert.equal(await placeOf({ region: 'eu-west-1' }), 'https://clinic.s3.eu-west-1.amazonaws.com/prod/config');
  const aws = await placeOf({ region: 'eu-west-1', pathStyle: true });
  assert.equal(aws, 'https://s3.eu-west-1.amazonaws.com/clinic/prod/config');
});

test('of checksums only Content-MD5 is sent; over TLS the body is not hashed once more, without TLS it is signed', async () => {
  const over = async (scheme: string) => (await outgoing({ endpoint: `${scheme}://127.0.0.1` })).headers;
  const [tls, plain] = [await over('https'), await over('http')];
  for (const headers of [tls, plain]) {
    assert.equal(headers['content-md5'], md5(BODY));
    const newer = Object.keys(headers).filter((name) => /checksum|trailer|^expect$/i.test(name));
    assert.deepEqual(newer, [], 'services that are not AWS refuse or ignore these');
  }
  assert.equal(tls['x-amz-content-sha256'], 'UNSIGNED-PAYLOAD');
  assert.equal(plain['x-amz-content-sha256'], createHash('sha256').update(BODY).digest('hex'));
});

test('no more requests are under way than connections are configured, eight unless told', async () => {
  for (const [options, most] of [
    [{}, 8],
    [{ connections: 3 }, 3],
  ] as const) {
    const requests = new Requests({ ...ACCOUNT, ...options });
    let [underWay, peak] = [0, 0];
    const request = () =>
      requests.run({ doing: 'asking', signal: undefined }, async () => {
        peak = Math.max(peak, ++underWay);
        for (let turn = 0; turn < 5; turn++) await setImmediate();
        underWay--;
      });
    await Promise.all(Array.from({ length: 30 }, request));
    assert.equal(peak, most);
    await requests.close();
  }
});
