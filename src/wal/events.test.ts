import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { BlockReference } from '../postgres/wal-records.ts';
import { LearnedCatalog } from './events/catalog.ts';
import { updatedRow } from './events/heap-page.ts';
import { MAX_ENTRIES, OpenTransactions } from './events/transactions.ts';
import { findWalEvents } from './events.ts';

const SEGMENT = 1024 * 1024;
const locator = (relation: number) => ({ tablespace: 1663, database: 5, relation });

test('transactions that never end are forgotten, the smallest first, and memory stays bounded', () => {
  const open = new OpenTransactions();
  for (let i = 0; i < 5000; i++) open.counts(1, locator(20_000 + i))!.deleted += 1000;
  for (let xid = 2; xid < MAX_ENTRIES; xid++) open.counts(xid, locator(20_000))!.deleted++;
  assert.equal(open.end(1, [])?.rows.size, 5000);
  assert.equal(open.end(2, []), undefined);
  assert.equal(open.end(MAX_ENTRIES - 1, [])?.rows.size, 1);
});

test('one transaction with more relations than are remembered goes on with those', () => {
  const open = new OpenTransactions();
  for (let i = 0; i < MAX_ENTRIES + 10; i++) open.counts(7, locator(20_000 + i));
  const rows = open.end(7, [])?.rows.size ?? 0;
  assert.ok(rows >= MAX_ENTRIES - 1 && rows <= MAX_ENTRIES);
});

test('rows of subtransactions are added, and counted once', () => {
  const open = new OpenTransactions();
  open.counts(1, locator(20_000))!.deleted = 3;
  open.counts(2, locator(20_000))!.deleted = 4;
  open.counts(3, locator(20_001))!.updated = 5;
  const counts = [...open.end(1, [2, 3])!.rows.values()].map(({ deleted, updated }) => [deleted, updated]);
  assert.deepEqual(counts, [
    [7, 0],
    [0, 5],
  ]);
  assert.equal(open.end(2, []), undefined);
});

test('an updated row has its beginning and its end from the row before', () => {
  const before = Buffer.from('abcdefghij');
  const header = [0, 0, 0, 0, 24];
  const data = Buffer.from([2, 0, 3, 0, ...header, 0, ...Buffer.from('XYZ')]);
  assert.equal(updatedRow(data, 0x60, before)?.toString(), 'abXYZhij');
  assert.equal(updatedRow(data, 0x60, undefined), undefined);
  assert.equal(updatedRow(data, 0x60, Buffer.from('a')), undefined);
});

test('noise for a page or a row of the catalog is survived', () => {
  const catalog = new LearnedCatalog(() => 17);
  for (let round = 0; round < 500; round++) {
    const bytes = randomBytes(8192);
    const image = { bytes, compression: 'none', holeAt: 0, hole: 0 } as const;
    const block: BlockReference = { ...locator(1259), fork: 0, block: 0, image, data: randomBytes(round) };
    catalog.learnPage(block);
    catalog.learnInsert(block, round);
    catalog.learnUpdate(block, block, randomBytes(14));
  }
});

test('a log that is none has no events', async () => {
  async function* noise() {
    for (let i = 0n; i < 4n; i++) yield { start: i * 8192n, bytes: randomBytes(8192) };
  }
  async function* nothing() {}
  for (const wal of [noise(), nothing()]) {
    assert.deepEqual((await findWalEvents(wal, { segmentSize: SEGMENT })).events, []);
  }
});
