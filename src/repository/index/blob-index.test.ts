/** The index of blobs: what is where, with duplicates, at size. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { BlobIndex, FrozenLookup } from './blob-index.ts';
import { IdTable } from './id-table.ts';

const idOf = (text: string | number) => createHash('sha256').update(String(text)).digest();

test('a table finds every row after it has grown many times, and nothing else', () => {
  const table = new IdTable(0);
  for (let i = 0; i < 20_000; i++) assert.equal(table.add(idOf(i)), i);
  assert.equal(table.rows, 20_000);
  for (let i = 0; i < 20_000; i++) assert.equal(table.find(idOf(i)), i);
  for (let i = 20_000; i < 21_000; i++) assert.equal(table.find(idOf(i)), -1);
});

test('ids that share their first bytes are told apart', () => {
  const table = new IdTable(4);
  const ids = Array.from({ length: 500 }, (_, i) =>
    Buffer.concat([Buffer.alloc(28, 0xff), Buffer.from([0, 0, i >> 8, i & 255])]),
  );
  for (const id of ids) table.add(id);
  for (const [i, id] of ids.entries()) assert.equal(table.find(id), i);
});

test('rows of the same id are all visited, in the order in which they came', () => {
  const table = new IdTable();
  for (const text of ['a', 'b', 'a', 'c', 'a']) table.add(idOf(text));
  const rows: number[] = [];
  table.some(idOf('a'), 0, (row) => {
    rows.push(row);
    return false;
  });
  assert.deepEqual(rows, [0, 2, 4]);
});

test('an id in the middle of other bytes is read from its offset', () => {
  const table = new IdTable();
  table.add(Buffer.concat([idOf('x'), idOf('y')]), 32);
  assert.equal(table.find(idOf('y')), 0);
  assert.equal(table.find(Buffer.concat([Buffer.alloc(7), idOf('y')]), 7), 0);
});

test('a blob is at hand for storages when its packs cover them together', () => {
  const index = new BlobIndex();
  const one = index.addPack(idOf('pack 1'), 0b001);
  index.addBlob(one.pack, false, idOf('blob'), 0, 100, 0);
  assert.ok(index.has('data', idOf('blob'), 0b001));
  assert.ok(!index.has('data', idOf('blob'), 0b011));
  const two = index.addPack(idOf('pack 2'), 0b010);
  index.addBlob(two.pack, false, idOf('blob'), 50, 100, 300);
  assert.ok(index.has('data', idOf('blob'), 0b011));
  assert.ok(!index.has('data', idOf('blob'), 0b111));
  assert.ok(!index.has('tree', idOf('blob'), 0b001), 'data and tree blobs are different things');
  assert.deepEqual(index.locate('data', idOf('blob')), [
    { type: 'data', pack: 0, offset: 0, length: 100, uncompressedLength: 0 },
    { type: 'data', pack: 1, offset: 50, length: 100, uncompressedLength: 300 },
  ]);
  const again = index.addPack(idOf('pack 1'), 0b100);
  assert.deepEqual(again, { pack: 0, isNew: false });
  assert.ok(index.has('data', idOf('blob'), 0b111));
});

test('what a thread is given answers as the index does', () => {
  const index = new BlobIndex(1);
  for (let p = 0; p < 300; p++) {
    const { pack } = index.addPack(idOf(`pack ${p}`), 1 << (p % 3));
    for (let b = 0; b < 10; b++) index.addBlob(pack, b === 0, idOf(`${p}/${b}`), b * 10, 10, 0);
  }
  const lookup = new FrozenLookup(index.freeze());
  for (let p = 0; p < 300; p++) {
    assert.ok(lookup.has(true, idOf(`${p}/0`), 1 << (p % 3)));
    assert.ok(lookup.has(false, idOf(`${p}/1`), 1 << (p % 3)));
    assert.ok(!lookup.has(false, idOf(`${p}/0`), 1 << (p % 3)));
    assert.ok(!lookup.has(false, idOf(`${p}/1`), 0b111));
  }
});

test('the 31st storage is a storage like the others', () => {
  const index = new BlobIndex();
  const bit = (1 << 30) >>> 0;
  index.addBlob(index.addPack(idOf('p'), bit).pack, true, idOf('b'), 0, 1, 0);
  assert.ok(index.has('tree', idOf('b'), bit));
  assert.ok(!index.has('tree', idOf('b'), (bit | 1) >>> 0));
});

test('a million blobs take at most 64 bytes each, and are found', () => {
  const index = new BlobIndex();
  const id = Buffer.alloc(32);
  const write = (n: number) => {
    id.writeUInt32LE(Math.imul(n, 0x9e3779b1) >>> 0, 0); // spread like a hash
    id.writeUInt32LE(n, 4);
    return id;
  };
  const blobs = 1_000_000;
  for (let n = 0; n < blobs; n++) {
    if (n % 1000 === 0) index.addPack(idOf(`pack ${n}`), 1);
    index.addBlob(Math.floor(n / 1000), false, write(n), n, 1000, 2000);
  }
  assert.ok(index.byteLength / blobs <= 64, `${index.byteLength / blobs} bytes a blob`);
  for (let n = 0; n < blobs; n += 997) assert.equal(index.at(index.firstRow('data', write(n))).offset, n);
  assert.equal(index.firstRow('data', write(blobs)), -1);
});
