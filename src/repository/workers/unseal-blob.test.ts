import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { constants, zstdCompressSync } from 'node:zlib';
import { isFailure } from '../../base/failure.ts';
import { Sealer } from '../crypto/envelope.ts';
import { openBlob } from '../format/blob.ts';
import { BlobOpener } from './unseal-blob.ts';

const key = { encrypt: randomBytes(32), macK: randomBytes(16), macR: randomBytes(16) };
const sealer = new Sealer(key);
const opener = new BlobOpener(key);
const idOf = (plain: Uint8Array) => hash('sha256', plain, 'buffer');
const isDamaged = (error: unknown) => isFailure(error, 'data_damaged');

test('opens what the general way opens, small and large, compressed or not', () => {
  for (const size of [0, 1, 100, 65_503, 65_504, 65_505, 65_536, 1_000_003]) {
    const plain = randomBytes(size);
    const sealed = sealer.seal(plain);
    assert.deepEqual(opener.open(sealed, 0).plain, openBlob(sealer.open(sealed), 0, idOf(plain)));
    if (size === 0) continue;
    const text = Buffer.alloc(size * 3, 'a row of a table\n');
    const packed = sealer.seal(zstdCompressSync(text));
    assert.deepEqual(opener.open(packed, text.length).plain, openBlob(sealer.open(packed), text.length, idOf(text)));
  }
});

test('one wrong bit anywhere is damage', () => {
  const plain = randomBytes(100_000);
  const sealed = sealer.seal(plain);
  for (const at of [0, 15, 16, 50_000, sealed.length - 17, sealed.length - 16, sealed.length - 1]) {
    const spoilt = Buffer.from(sealed);
    spoilt[at]! ^= 0x40;
    assert.throws(() => opener.open(spoilt, 0), isDamaged, `byte ${at}`);
  }
  assert.throws(() => opener.open(sealed.subarray(0, 90_000), 0), isDamaged);
  assert.throws(() => opener.open(sealed.subarray(0, 20), 0), isDamaged);
});

test('lengths that are not true are damage', () => {
  const plain = Buffer.alloc(200_000, 'x');
  const compressed = sealer.seal(zstdCompressSync(plain));
  for (const length of [plain.length - 1, plain.length + 1, 1, 2 ** 32 - 1]) {
    assert.throws(() => opener.open(compressed, length), isDamaged, `${length}`);
  }
  assert.throws(() => opener.open(sealer.seal(randomBytes(100)), 100), isDamaged);
});

test('what is stored as it is, or ends with a checksum of its content, is said to be checked, and the checksum is compared', () => {
  const plain = Buffer.alloc(200_000, 'a row of a table\n');
  const frame = zstdCompressSync(plain, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
  assert.equal(opener.open(sealer.seal(frame), plain.length).isChecked, true);
  assert.equal(opener.open(sealer.seal(zstdCompressSync(plain)), plain.length).isChecked, false);
  assert.equal(opener.open(sealer.seal(plain), 0).isChecked, true);
  frame[frame.length - 1]! ^= 1;
  assert.throws(() => opener.open(sealer.seal(frame), plain.length), isDamaged);
});
