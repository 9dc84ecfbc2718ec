/** Starts an S3 service for tests and makes buckets in it. For one service per test run see `shared.ts`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { need } from '../needs.ts';
import { HOST_NAME, startCeph } from './ceph.ts';

/** What a client must know; travels between processes as JSON. */
export interface S3Address {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface TestS3 extends S3Address {
  /** The endpoint for clients that put the bucket into the host name; needs `../loopback-names.ts`. */
  readonly byName: string;
  /** Makes an empty bucket and returns its name; without one, a name nobody else has. */
  createBucket(name?: string, options?: BucketOptions): Promise<string>;
  stop(): Promise<void>;
}

export interface BucketOptions {
  readonly objectLock?: boolean;
}

/** The programs the service needs: `const s3 = await needS3(); test('…', { skip: s3.skip }, …)`. */
export function needS3() {
  return need('radosgw', 'ceph-mon', 'ceph-osd', 'ceph-authtool', 'setpriv');
}

/** Starts a service of its own, in `directory` or a temporary one; `stop` ends it and removes what it left. */
export async function startS3({ directory }: { readonly directory?: string } = {}): Promise<TestS3> {
  const account = { accessKeyId: 'test', secretAccessKey: 'testsecret' };
  const place = directory ?? (await mkdtemp(join(tmpdir(), 'holdfast-s3-')));
  const ceph = await startCeph(place, account);
  const stop = async () => {
    await ceph.stop();
    await rm(place, { recursive: true, force: true });
  };
  return clientOf({ endpoint: ceph.endpoint, ...account }, stop);
}

/** A service that runs already. */
export function clientOf(address: S3Address, stop: () => Promise<void> = async () => {}): TestS3 {
  const { endpoint, accessKeyId, secretAccessKey } = address;
  const credentials = { accessKeyId, secretAccessKey };
  return {
    ...address,
    byName: `http://${HOST_NAME}:${new URL(endpoint).port}`,
    stop,
    createBucket: async (name = freshName(), { objectLock = false } = {}) => {
      const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
      try {
        await client.send(new CreateBucketCommand({ Bucket: name, ObjectLockEnabledForBucket: objectLock }));
        return name;
      } finally {
        client.destroy();
      }
    },
  };
}

let counter = 0;

function freshName(): string {
  return `test-${process.pid}-${Date.now()}-${counter++}`;
}
