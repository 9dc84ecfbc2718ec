import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { BlobIndex } from '../index/blob-index.ts';
import { newClaims } from '../index/claims.ts';
import { mergeRecords } from '../tags/tag-table.ts';
import { TAGGED_FROM, Tagger } from '../tags/tagger.ts';
import { BlobNamer, type SharedTags } from './blob-namer.ts';
import { SealPool } from './seal-pool.ts';

const KEY = { encrypt: randomBytes(32), macK: randomBytes(16), macR: randomBytes(16) };
const sha = (bytes: Uint8Array) => hash('sha256', bytes, 'buffer');
const always = () => true;

function sharedTags(learned: Uint8Array): SharedTags {
  const records = mergeRecords(new Uint8Array(0), learned, always);
  const tags = { records: new SharedArrayBuffer(records.length), wrong: new SharedArrayBuffer(4) };
  new Uint8Array(tags.records).set(records);
  return tags;
}

/** Says that `chunk` is what `id` names. */
function claim(chunk: Uint8Array, id: Uint8Array): SharedTags {
  return sharedTags(Buffer.concat([new Tagger(KEY).tag(chunk), id]));
}

test('names are the SHA-256 of the content, whether it is remembered or not', () => {
  const chunks = [10, TAGGED_FROM - 1, TAGGED_FROM, 100_000, 300_000, 1_100_000, 0].map((size) => randomBytes(size));
  const expected = Buffer.concat(chunks.map(sha));
  const first = new BlobNamer(KEY, sharedTags(new Uint8Array(0)), always);
  assert.deepEqual(first.names(chunks), expected);
  const learned = first.takeLearned();
  assert.equal(learned.length / 48, 4, 'what is long enough is learned');
  assert.equal(first.takeLearned().length, 0);

  const second = new BlobNamer(KEY, sharedTags(learned), always);
  assert.deepEqual(second.names(chunks), expected);
  assert.equal(second.takeLearned().length, 0, 'all of it was known');
  assert.deepEqual(new BlobNamer(KEY, undefined, always).names(chunks), expected);
});

test('what is not stored is hashed, whatever is remembered of it', () => {
  const chunk = randomBytes(TAGGED_FROM);
  const tags = claim(chunk, randomBytes(32));
  assert.deepEqual(new BlobNamer(KEY, tags, () => false).names([chunk]), sha(chunk));
});

test('a tag that names other bytes is found out before long, and told to all threads', () => {
  const chunk = randomBytes(TAGGED_FROM);
  const tags = claim(chunk, sha(Buffer.from('other')));
  const namer = new BlobNamer(KEY, tags, always);
  const manyTimes = () => {
    for (let i = 0; i < 10_000; i++) namer.names([chunk]); // found out with all but a chance of 10⁻⁶⁸
  };
  assert.throws(manyTimes, { code: 'internal', message: /taken for other content/ });
  assert.equal(new Int32Array(tags.wrong)[0], 1);
});

test('a run that met a wrong tag is told what became of it and what to do', async () => {
  const chunk = randomBytes(TAGGED_FROM);
  const other = sha(Buffer.from('other'));
  const index = new BlobIndex();
  index.addBlob(index.addPack(randomBytes(32), 1).pack, false, other, 0, 100, 0);
  const tags = claim(chunk, other);
  const pool = new SealPool({
    ...{ masterKey: KEY, chunkerSeed: randomBytes(32), index: index.freeze(), claims: newClaims(), needed: 1, tags },
    settings: { packSize: 4 * 1024 * 1024, compression: 'auto' },
    workers: 1,
    onPack: async () => {},
  });
  const manyTimes = async () => {
    for (let i = 0; i < 100; i++)
      await pool.storeBlobs(
        false,
        Array.from({ length: 50 }, () => Buffer.from(chunk)),
      );
  };
  try {
    await assert.rejects(manyTimes(), { code: 'internal', hint: /forgotten now. Run the backup again/ }); // but for 10⁻³⁴
  } finally {
    await pool.close();
  }
});
