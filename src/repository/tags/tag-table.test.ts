import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { mergeRecords, RECORD_SIZE, TagTable } from './tag-table.ts';
import { TAG_SIZE, Tagger } from './tagger.ts';

const EVERYTHING = () => true;
const tagOf = (records: Uint8Array, i: number) => records.subarray(i * RECORD_SIZE, i * RECORD_SIZE + TAG_SIZE);
const idOf = (records: Uint8Array, i: number) => records.subarray(i * RECORD_SIZE + TAG_SIZE, (i + 1) * RECORD_SIZE);

test('every record is found by its tag, and nothing else is', () => {
  for (const count of [0, 1, 2, 3, 100, 1000]) {
    const records = randomBytes(count * RECORD_SIZE);
    const table = new TagTable(mergeRecords(new Uint8Array(0), records, EVERYTHING));
    for (let i = 0; i < count; i++) assert.deepEqual(table.find(tagOf(records, i)), Buffer.from(idOf(records, i)));
    for (let i = 0; i < 20; i++) assert.equal(table.find(randomBytes(TAG_SIZE)), undefined);
  }
});

test('records are merged in order, each tag once, without those that nobody wants', () => {
  const records = randomBytes(50 * RECORD_SIZE);
  const unwanted = new Set([3, 17].map((i) => Buffer.from(idOf(records, i)).toString('hex')));
  const earlier = mergeRecords(new Uint8Array(0), records, EVERYTHING);
  const fresh = randomBytes(20 * RECORD_SIZE);
  const repeated = Buffer.concat([fresh, records.subarray(0, 2 * RECORD_SIZE), fresh]);
  const merged = mergeRecords(earlier, repeated, (id) => !unwanted.has(Buffer.from(id).toString('hex')));
  assert.equal(merged.length / RECORD_SIZE, 50 + 20 - 2);
  for (let i = 1; i < merged.length / RECORD_SIZE; i++) {
    assert.ok(Buffer.compare(tagOf(merged, i - 1), tagOf(merged, i)) < 0);
  }
  assert.equal(new TagTable(merged).find(tagOf(records, 3)), undefined);
});

test('a tag depends on every byte, on the length and on the key', () => {
  const encrypt = randomBytes(32);
  const tagger = new Tagger({ encrypt });
  const bytes = randomBytes(70_000);
  const tags = new Set([tagger.tag(bytes).toString('hex')]);
  for (const at of [0, 1, 35_000, 69_999]) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 0x80;
    tags.add(tagger.tag(changed).toString('hex'));
  }
  tags.add(tagger.tag(bytes.subarray(1)).toString('hex'));
  tags.add(tagger.tag(Buffer.concat([bytes, Buffer.alloc(1)])).toString('hex'));
  tags.add(new Tagger({ encrypt: randomBytes(32) }).tag(bytes).toString('hex'));
  assert.equal(tags.size, 8);
  assert.deepEqual(new Tagger({ encrypt }).tag(Buffer.from(bytes)), tagger.tag(bytes));
});
