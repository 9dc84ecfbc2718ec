import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../base/failure.ts';
import { encodeConfig, newRepositoryConfig, parseConfig } from './config-file.ts';
import { isIrreducible, randomPolynomial } from './polynomial.ts';
import { damagedCopies, decodesOrRefuses } from './testing/hostile.ts';

const refused = (code: string) => (error: unknown) => error instanceof Failure && error.code === code;

test('a new config comes back as it was written, with an irreducible polynomial', () => {
  const config = newRepositoryConfig();
  assert.deepEqual(parseConfig(encodeConfig(config)), config);
  assert.ok(isIrreducible(BigInt(`0x${config.chunker_polynomial}`)));
  assert.notEqual(newRepositoryConfig().id, config.id);
});

test('the members stand in the order other programs write them', () => {
  assert.match(
    encodeConfig(newRepositoryConfig()).toString(),
    /^\{"version":2,"id":"[0-9a-f]{64}","chunker_polynomial":"[23][0-9a-f]{13}"\}$/,
  );
});

test('members of other programs are ignored', () => {
  const config = newRepositoryConfig();
  const text = JSON.stringify({ ...config, chunker: 'rabin', append_only: null });
  assert.deepEqual(parseConfig(Buffer.from(text)), config);
});

test('another version is unsupported, not damaged', () => {
  for (const version of [1, 3, '2', null]) {
    const text = JSON.stringify({ ...newRepositoryConfig(), version });
    assert.throws(() => parseConfig(Buffer.from(text)), refused('repository_unsupported'));
  }
});

test('a malformed config is refused', () => {
  const config = newRepositoryConfig();
  for (const change of [{ id: 'x' }, { id: 5 }, { chunker_polynomial: 'xyz' }, { chunker_polynomial: undefined }]) {
    const bytes = Buffer.from(JSON.stringify({ ...config, ...change }));
    assert.throws(() => parseConfig(bytes), refused('repository_damaged'));
  }
  for (const damaged of damagedCopies(encodeConfig(config), 200)) decodesOrRefuses(() => parseConfig(damaged));
});

test('the test for irreducible polynomials agrees with known ones and with division', () => {
  // The polynomials of restic's chunker test and of its documentation.
  for (const known of [0x3da3358b4dc173n, 0x25b468838dcb75n]) assert.ok(isIrreducible(known));
  for (const reducible of [0x3da3358b4dc172n, 0x20000000000001n, 0x3da3358b4dc173n << 1n, 0n, 1n, 2n]) {
    assert.ok(!isIrreducible(reducible));
  }
  // Products of two factors whose degrees add up to 53.
  for (const factor of [0b111n, 0b1011n, 0b10011n]) {
    const degree = factor.toString(2).length - 1;
    let product = 0n;
    const other = (1n << BigInt(53 - degree)) | 0x1234567n;
    for (let bit = 0n; bit <= BigInt(degree); bit++) if ((factor >> bit) & 1n) product ^= other << bit;
    assert.ok(!isIrreducible(product));
  }
});

test('random polynomials have degree 53 and differ', () => {
  const drawn = Array.from({ length: 5 }, randomPolynomial);
  assert.ok(drawn.every((polynomial) => polynomial >> 53n === 1n));
  assert.equal(new Set(drawn).size, 5);
});
