import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { crc32c } from './crc32c.ts';

/** One bit at a time: slow, readable, what the WebAssembly must equal. */
function bitwise(bytes: Uint8Array, seed = 0): number {
  let crc = ~seed >>> 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

test('CRC-32C gives the published check values (RFC 3720, B.4)', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
  assert.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43);
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
  assert.equal(crc32c(new Uint8Array(0)), 0);
});

test('CRC-32C equals the bitwise reference at every length and alignment', () => {
  const bytes = randomBytes(400);
  for (let length = 0; length < 100; length++) {
    for (const start of [0, 1, 7]) {
      const piece = bytes.subarray(start, start + length);
      assert.equal(crc32c(piece), bitwise(piece));
    }
  }
});

test('CRC-32C continues from a seed, also across its 64 KiB window', () => {
  const bytes = randomBytes(200_001);
  const whole = bitwise(bytes);
  assert.equal(crc32c(bytes), whole);
  for (const split of [0, 1, 65536, 65537, 131_072, bytes.length]) {
    assert.equal(crc32c(bytes.subarray(split), crc32c(bytes.subarray(0, split))), whole);
  }
});
