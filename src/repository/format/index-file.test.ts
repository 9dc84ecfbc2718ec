import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Failure } from '../../base/failure.ts';
import { idFromBytes } from '../../base/ids.ts';
import { encodeIndex, type PackEntry, parseIndex, scanIndex } from './index-file.ts';
import { encodePackTables } from './index-text.ts';
import type { PackedBlob } from './pack-header.ts';
import { damagedCopies, decodesOrRefuses } from './testing/hostile.ts';

const newId = () => idFromBytes(randomBytes(32));
const A = 'a'.repeat(64);
const B = 'b'.repeat(64);

function pack(count: number): PackEntry {
  let offset = 0;
  const blobs = Array.from({ length: count }, (_, i): PackedBlob => {
    const length = 32 + i * 1000;
    const blob: PackedBlob = {
      type: i % 3 ? 'data' : 'tree',
      id: newId(),
      offset,
      length,
      uncompressedLength: i % 2 ? 0 : 7 + i,
    };
    offset += length;
    return blob;
  });
  return { id: newId(), blobs };
}

function parse(json: string): PackEntry[] {
  const packs: PackEntry[] = [];
  parseIndex(json, (id, blobs) => packs.push({ id, blobs }));
  return packs;
}

function isDamage(error: unknown): boolean {
  return error instanceof Failure && error.code === 'data_damaged';
}

test('an index comes back as it was written', () => {
  const packs = [pack(5), pack(0), pack(1), pack(40)];
  assert.deepEqual(parse(encodeIndex(packs)), packs);
  assert.deepEqual(parse(encodeIndex([])), []);
});

test('an index is plain JSON in the order other programs write', () => {
  const blob: PackedBlob = { type: 'data', id: A as PackedBlob['id'], offset: 0, length: 40, uncompressedLength: 0 };
  const compressed: PackedBlob = { ...blob, type: 'tree', offset: 40, uncompressedLength: 99 };
  assert.equal(
    encodeIndex([{ id: B as PackEntry['id'], blobs: [blob, compressed] }]),
    `{"packs":[{"id":"${B}","blobs":[{"id":"${A}","type":"data","offset":0,"length":40},` +
      `{"id":"${A}","type":"tree","offset":40,"length":40,"uncompressed_length":99}]}]}`,
  );
});

test('an index made from tables of blobs has the same bytes', () => {
  const numbers = [0, 9, 10, 99, 100, 123_456_789, 2 ** 31, 2 ** 32 - 1];
  const packs = [pack(5), pack(0), pack(1)].map(({ id, blobs }, n): PackEntry => {
    const type = n % 2 ? 'tree' : 'data';
    return { id, blobs: blobs.map((blob, i) => ({ ...blob, type, length: numbers[i + n] ?? 32 })) };
  });
  const tables = packs.map(({ id, blobs }, n) => ({
    id,
    isTree: n % 2 === 1,
    blobIds: Buffer.from(blobs.map((blob) => blob.id).join(''), 'hex'),
    blobPlaces: Uint32Array.from(blobs.flatMap((blob) => [blob.offset, blob.length, blob.uncompressedLength])),
  }));
  assert.equal(Buffer.from(encodePackTables(tables)).toString(), encodeIndex(packs));
  assert.equal(Buffer.from(encodePackTables([])).toString(), encodeIndex([]));
});

test('members of other programs, white space and another order are accepted', () => {
  const json = `{ "supersedes": ["${A}", "${B}"], "packs_to_delete": [{"id":"${A}","blobs":[{"x":[1,-2.5e3,null,true]}]}],
    "packs" : [ { "time": "2024-01-01T00:00:00Z", "blobs": [ { "length": 50, "type": "data", "extra": {"a": [{}]},
    "offset": 0, "id": "${A}" } ], "size": 1, "id": "${B}" } ] }\n`;
  assert.deepEqual(parse(json), [
    { id: B, blobs: [{ type: 'data', id: A, offset: 0, length: 50, uncompressedLength: 0 }] },
  ]);
  assert.deepEqual(parse('{"packs":null}'), []);
  assert.deepEqual(parse('{}'), []);
});

test('the scanner names a pack before its blobs, whatever their order in the text', () => {
  const seen: string[] = [];
  const json = `{"packs":[{"blobs":[{"id":"${A}","type":"tree","offset":1,"length":32}],"id":"${B}"}]}`;
  scanIndex(Buffer.from(json), {
    pack: (id) => seen.push(`pack ${Buffer.from(id).toString('hex')}`),
    blob: (type, id, offset, length, plain) =>
      seen.push(`blob ${type} ${Buffer.from(id).toString('hex')} ${offset} ${length} ${plain}`),
  });
  assert.deepEqual(seen, [`pack ${B}`, `blob 1 ${A} 1 32 0`]);
});

test('entries of the wrong type or range are refused', () => {
  const good = { id: A, type: 'data', offset: 0, length: 40 };
  for (const change of [
    { id: undefined },
    { id: 'abc' },
    { id: A.toUpperCase() },
    { id: 5 },
    { type: undefined },
    { type: 'blob' },
    { type: 0 },
    { offset: undefined },
    { offset: -1 },
    { offset: 1.5 },
    { offset: '0' },
    { offset: 2 ** 32 },
    { length: undefined },
    { length: 31 },
    { length: 1e21 },
    { offset: 2 ** 32 - 40 },
    { uncompressed_length: 2 ** 32 },
    { uncompressed_length: 'x' },
  ]) {
    const json = JSON.stringify({ packs: [{ id: B, blobs: [{ ...good, ...change }] }] });
    assert.throws(() => parse(json), isDamage, JSON.stringify(change));
  }
  for (const json of [
    '',
    '[]',
    'null',
    '{"packs":5}',
    '{"packs":[5]}',
    '{"packs":[{}]}',
    `{"packs":[{"blobs":[]}]}`,
    `{"packs":[{"id":"${A}","id":"${B}"}]}`,
    '{"packs":[]}x',
    '{"packs":[],}',
    '{"packs":[]',
    '{packs:[]}',
    `{"x":${'['.repeat(100_000)}`,
    '{"x":"\u0001"}',
    '{"x":01}',
    '{"x":nul}',
  ]) {
    assert.throws(() => parse(json), isDamage, json.slice(0, 60));
  }
});

test('damaged indexes never do anything but fail', () => {
  const valid = Buffer.from(encodeIndex([pack(3), pack(2)]));
  for (const damaged of damagedCopies(valid, 500)) {
    decodesOrRefuses(() => scanIndex(damaged, { pack: () => {}, blob: () => {} }));
  }
});
