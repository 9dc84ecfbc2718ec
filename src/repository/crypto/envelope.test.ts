import assert from 'node:assert/strict';
import { createCipheriv, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Failure } from '../../base/failure.ts';
import { ENVELOPE_OVERHEAD, type MasterKey, Sealer } from './envelope.ts';
import { generateMasterKey } from './key-file.ts';
import { poly1305Reference } from './poly1305-reference.ts';

const LENGTHS = [0, 1, 15, 16, 17, 31, 4096, 32767, 32768, 32769, 65536, 100_003];

/** The envelope as its definition reads, from the platform's cipher and the slow MAC. */
function referenceEnvelope(key: MasterKey, iv: Uint8Array, plaintext: Uint8Array): Buffer {
  const ciphertext = createCipheriv('aes-256-ctr', key.encrypt, iv).update(plaintext);
  const nonce = createCipheriv('aes-128-ecb', key.macK, null).setAutoPadding(false).update(iv);
  const tag = poly1305Reference(Buffer.concat([key.macR, nonce]), ciphertext);
  return Buffer.concat([iv, ciphertext, tag]);
}

function isDamage(error: unknown): boolean {
  return error instanceof Failure && error.code === 'data_damaged';
}

test('an envelope is what AES-256-CTR and Poly1305-AES make of the plaintext', () => {
  const key = generateMasterKey();
  const sealer = new Sealer(key);
  for (const length of LENGTHS) {
    const plaintext = randomBytes(length);
    const sealed = sealer.seal(plaintext);
    assert.equal(sealed.length, length + ENVELOPE_OVERHEAD);
    assert.deepEqual(sealed, referenceEnvelope(key, sealed.subarray(0, 16), plaintext));
    assert.deepEqual(sealer.open(sealed), plaintext);
  }
});

test('the counter carries over all 128 bits', () => {
  const key = generateMasterKey();
  const sealer = new Sealer(key);
  const plaintext = randomBytes(70_000);
  for (const iv of ['f'.repeat(32), `00${'f'.repeat(30)}`, `${'0'.repeat(15)}1${'f'.repeat(13)}800`]) {
    const sealed = referenceEnvelope(key, Buffer.from(iv, 'hex'), plaintext);
    assert.deepEqual(sealer.open(sealed), plaintext);
  }
});

test('sealing into a larger buffer writes exactly the envelope', () => {
  const sealer = new Sealer(generateMasterKey());
  const target = Buffer.alloc(200, 0xaa);
  const written = sealer.sealInto(Buffer.from('hello'), target, 50);
  assert.equal(written, 5 + ENVELOPE_OVERHEAD);
  assert.ok(target.subarray(0, 50).every((byte) => byte === 0xaa));
  assert.ok(target.subarray(50 + written).every((byte) => byte === 0xaa));
  assert.equal(sealer.open(target.subarray(50, 50 + written)).toString(), 'hello');
});

test('no IV is used twice, also when the pool is drawn anew', () => {
  const sealer = new Sealer(generateMasterKey());
  const ivs = new Set<string>();
  for (let i = 0; i < 10_000; i++) ivs.add(sealer.seal(new Uint8Array(0)).toString('hex', 0, 16));
  assert.equal(ivs.size, 10_000);
});

test('an envelope with any bit changed, cut short or prolonged is refused', () => {
  const sealer = new Sealer(generateMasterKey());
  const sealed = sealer.seal(randomBytes(40));
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(() => sealer.open(changed), isDamage);
  }
  for (let length = 0; length < sealed.length; length++) {
    assert.throws(() => sealer.open(sealed.subarray(0, length)), isDamage);
  }
  assert.throws(() => sealer.open(Buffer.concat([sealed, Buffer.of(0)])), isDamage);
});

test('another key does not open an envelope', () => {
  const sealed = new Sealer(generateMasterKey()).seal(Buffer.from('secret'));
  assert.throws(() => new Sealer(generateMasterKey()).open(sealed), isDamage);
});

test('two sealers used by turns do not disturb each other', () => {
  const [a, b] = [new Sealer(generateMasterKey()), new Sealer(generateMasterKey())];
  const sealed = [a.seal(Buffer.from('a')), b.seal(Buffer.from('b'))] as const;
  assert.equal(a.open(sealed[0]).toString(), 'a');
  assert.equal(b.open(sealed[1]).toString(), 'b');
});

test('keys of the wrong size or all zero are refused', () => {
  const key = generateMasterKey();
  for (const wrong of [
    { ...key, encrypt: new Uint8Array(32) },
    { ...key, macK: new Uint8Array(16) },
    { ...key, macR: new Uint8Array(16) },
    { ...key, encrypt: key.encrypt.subarray(1) },
  ]) {
    assert.throws(() => new Sealer(wrong), Failure);
  }
});
