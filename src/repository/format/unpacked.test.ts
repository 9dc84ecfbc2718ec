import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { Failure } from '../../base/failure.ts';
import { damagedCopies, decodesOrRefuses } from './testing/hostile.ts';
import { decodeUnpacked, encodeUnpacked } from './unpacked.ts';

function isDamage(error: unknown): boolean {
  return error instanceof Failure && error.code === 'data_damaged';
}

test('JSON comes back from both forms', () => {
  const json = JSON.stringify({ text: 'grüße'.repeat(100) });
  assert.equal(decodeUnpacked(encodeUnpacked(json, true)), json);
  assert.equal(decodeUnpacked(encodeUnpacked(json, false)), json);
  assert.equal(encodeUnpacked(json, true)[0], 2);
  assert.equal(encodeUnpacked(json, false)[0], 0x7b);
  assert.equal(decodeUnpacked(Buffer.from('[]')), '[]');
});

test('any other first byte is refused', () => {
  for (const bytes of [[], [0], [1, 2, 3], [3], [0x20, 0x7b, 0x7d]]) {
    assert.throws(() => decodeUnpacked(Uint8Array.from(bytes)), isDamage);
  }
});

test('a frame that grows beyond the bound is refused', () => {
  const bomb = Buffer.concat([Buffer.of(2), zstdCompressSync(Buffer.alloc(50_000_000))]);
  assert.ok(bomb.length < 10_000);
  assert.throws(() => decodeUnpacked(bomb, 1_000_000), isDamage);
  assert.throws(() => decodeUnpacked(Buffer.from(`{${' '.repeat(100)}}`), 50), isDamage);
});

test('damage to a frame is refused or at least contained', () => {
  const valid = encodeUnpacked(JSON.stringify({ packs: Array.from({ length: 50 }, (_, i) => ({ i })) }), true);
  for (const damaged of damagedCopies(valid, 200)) decodesOrRefuses(() => decodeUnpacked(damaged, 1_000_000));
  assert.throws(() => decodeUnpacked(valid.subarray(0, valid.length - 1)), isDamage);
});
