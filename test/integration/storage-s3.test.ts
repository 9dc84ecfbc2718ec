/** The S3 driver against a real service. */
import { after, before } from 'node:test';
import type { S3StoreOptions } from '../../src/storage/s3/options.ts';
import { openS3Store } from '../../src/storage/s3/s3-store.ts';
import { objectStoreContract } from '../../src/storage/testing/contract.ts';
import { needS3, type TestS3, useS3 } from '../support/s3/shared.ts';

const { skip } = await needS3();
let s3: TestS3;
let bucket: string;

before(async () => {
  if (skip) return;
  s3 = await useS3();
  bucket = await s3.createBucket();
});
after(() => s3?.stop());

function settings(): S3StoreOptions {
  const { endpoint, accessKeyId, secretAccessKey } = s3;
  return { name: 'ceph', endpoint, accessKeyId, secretAccessKey, bucket };
}

objectStoreContract('s3', async () => ({ store: openS3Store(settings()), conditionalCreate: false }), { skip });
objectStoreContract(
  's3 below a prefix',
  async () => ({
    store: openS3Store({ ...settings(), prefix: '/clinic/prod/' }),
    conditionalCreate: false,
    manyObjects: 20,
  }),
  { skip },
);
