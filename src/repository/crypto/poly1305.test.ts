import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { poly1305 } from './poly1305.ts';
import { poly1305Reference } from './poly1305-reference.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

/** RFC 8439, section 2.5.2 and the edge cases of appendix A.3 (numbers 7 to 11): key, message, tag. */
const VECTORS: readonly (readonly [key: Buffer, message: Buffer, tag: Buffer])[] = [
  [
    hex('85d6be7857556d337f4452fe42d506a8 0103808afb0db2fd4abff6af4149f51b'),
    Buffer.from('Cryptographic Forum Research Group'),
    hex('a8061dc1305136c6c22b8baf0c0127a9'),
  ],
  [
    hex('02000000000000000000000000000000 00000000000000000000000000000000'),
    hex('ffffffffffffffffffffffffffffffff'),
    hex('03000000000000000000000000000000'),
  ],
  [
    hex('02000000000000000000000000000000 ffffffffffffffffffffffffffffffff'),
    hex('02000000000000000000000000000000'),
    hex('03000000000000000000000000000000'),
  ],
  [
    hex('01000000000000000000000000000000 00000000000000000000000000000000'),
    hex('ffffffffffffffffffffffffffffffff f0ffffffffffffffffffffffffffffff 11000000000000000000000000000000'),
    hex('05000000000000000000000000000000'),
  ],
  [
    hex('01000000000000000000000000000000 00000000000000000000000000000000'),
    hex('ffffffffffffffffffffffffffffffff fbfefefefefefefefefefefefefefefe 01010101010101010101010101010101'),
    hex('00000000000000000000000000000000'),
  ],
  [
    hex('02000000000000000000000000000000 00000000000000000000000000000000'),
    hex('fdffffffffffffffffffffffffffffff'),
    hex('faffffffffffffffffffffffffffffff'),
  ],
  [
    hex('01000000000000000400000000000000 00000000000000000000000000000000'),
    hex(`e33594d7505e43b90000000000000000 3394d7505e4379cd0100000000000000
         00000000000000000000000000000000 01000000000000000000000000000000`),
    hex('14000000000000005500000000000000'),
  ],
];

test('Poly1305 gives the tags of RFC 8439, both forms of it', () => {
  for (const [key, message, tag] of VECTORS) {
    assert.deepEqual(poly1305Reference(key, message), tag);
    assert.deepEqual(poly1305(key, message), tag);
  }
});

test('Poly1305 equals its reference for every length up to 200 bytes', () => {
  for (let length = 0; length <= 200; length++) {
    const key = randomBytes(32);
    const message = randomBytes(length);
    assert.deepEqual(poly1305(key, message), poly1305Reference(key, message));
  }
});

test('Poly1305 carries right when all words are at their largest', () => {
  const ones = Buffer.alloc(32, 0xff);
  for (const length of [15, 16, 17, 64, 1024, 5000]) {
    const message = Buffer.alloc(length, 0xff);
    assert.deepEqual(poly1305(ones, message), poly1305Reference(ones, message));
  }
});

test('Poly1305 goes on across its window', () => {
  const key = randomBytes(32);
  for (const length of [32767, 32768, 32769, 65536 + 5, 100_000]) {
    const message = randomBytes(length);
    assert.deepEqual(poly1305(key, message), poly1305Reference(key, message));
  }
});
