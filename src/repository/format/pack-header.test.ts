import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Failure } from '../../base/failure.ts';
import { idFromBytes } from '../../base/ids.ts';
import { encodePackHeader, type PackedBlob, packHeaderSize, parsePackHeader } from './pack-header.ts';
import { damagedCopies, decodesOrRefuses } from './testing/hostile.ts';

function blobs(...sizes: readonly (readonly [PackedBlob['type'], number, number])[]): PackedBlob[] {
  let offset = 0;
  return sizes.map(([type, length, uncompressedLength]) => {
    const blob = { type, id: idFromBytes(randomBytes(32)), offset, length, uncompressedLength };
    offset += length;
    return blob;
  });
}

function isDamage(error: unknown): boolean {
  return error instanceof Failure && error.code === 'data_damaged';
}

test('a header comes back with its offsets', () => {
  const list = blobs(['data', 100, 0], ['data', 32, 0], ['tree', 5000, 20_000], ['data', 2 ** 31, 2 ** 32 - 1]);
  const header = encodePackHeader(list);
  assert.deepEqual(parsePackHeader(header), list);
  assert.equal(header.length, 37 + 37 + 41 + 41);
  assert.equal(packHeaderSize(list), header.length + 32 + 4);
  assert.deepEqual(parsePackHeader(new Uint8Array(0)), []);
});

test('an entry has the bytes that the format describes', () => {
  const id = idFromBytes(Buffer.alloc(32, 0xab));
  const header = encodePackHeader([{ type: 'tree', id, offset: 0, length: 0x0102, uncompressedLength: 0x030405 }]);
  assert.equal(header.toString('hex'), `030201000005040300${'ab'.repeat(32)}`);
  const raw = encodePackHeader([{ type: 'data', id, offset: 0, length: 0x20, uncompressedLength: 0 }]);
  assert.equal(raw.toString('hex'), `0020000000${'ab'.repeat(32)}`);
});

test('blobs that are not contiguous are not written', () => {
  const [first, second] = blobs(['data', 100, 0], ['data', 100, 0]);
  assert.throws(() => encodePackHeader([second!]), RangeError);
  assert.throws(() => encodePackHeader([first!, { ...second!, offset: 101 }]), RangeError);
});

test('impossible entries are refused', () => {
  const entry = (type: number, length: number, rest: number) =>
    Buffer.from([type, length & 255, length >>> 8, 0, 0, ...new Array(rest).fill(0)]);
  assert.throws(() => parsePackHeader(entry(4, 100, 32)), isDamage, 'an unknown type');
  assert.throws(() => parsePackHeader(entry(0, 31, 32)), isDamage, 'shorter than its seal');
  assert.throws(() => parsePackHeader(entry(2, 100, 36)), isDamage, 'compressed from nothing');
  assert.throws(() => parsePackHeader(entry(0, 100, 31)), isDamage, 'cut short');
  const huge = Buffer.from([0, 0, 0, 0, 0xc0, ...new Array(32).fill(0)]);
  assert.throws(() => parsePackHeader(Buffer.concat([huge, huge])), isDamage, 'above 4 GiB');
  assert.throws(() => parsePackHeader(Buffer.alloc(17 * 1024 * 1024)), isDamage, 'above 16 MiB');
});

test('damaged headers are refused or read as something bounded', () => {
  const valid = encodePackHeader(blobs(['data', 100, 0], ['data', 900, 4000], ['tree', 40, 0]));
  for (const damaged of damagedCopies(valid, 500)) decodesOrRefuses(() => parsePackHeader(damaged));
});
