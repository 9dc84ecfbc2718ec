import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { Failure } from '../../base/failure.ts';
import { calibrateScrypt, createKeyFile, generateMasterKey, openKeyFile, SCRYPT_FLOOR } from './key-file.ts';

/** Cheap on purpose: these tests are not about scrypt. */
const params = { N: 16, r: 1, p: 1 };
const masterKey = generateMasterKey();
const options = {
  password: 'correct horse',
  masterKey,
  hostname: 'vm',
  username: 'root',
  created: '2026-01-02T03:04:05Z',
};

function isMalformed(error: unknown): boolean {
  return error instanceof Failure && error.code === 'repository_damaged';
}

function edited(change: Record<string, unknown>): Buffer {
  const file = JSON.parse(createKeyFile({ ...options, params }).bytes.toString()) as object;
  return Buffer.from(JSON.stringify({ ...file, ...change }));
}

test('a key file gives the master key back for its password and nothing for another', async () => {
  const { bytes, id } = createKeyFile({ ...options, params });
  assert.equal(id, createHash('sha256').update(bytes).digest('hex'));
  const opened = await openKeyFile(bytes, 'correct horse');
  assert.deepEqual(Buffer.from(opened!.encrypt), Buffer.from(masterKey.encrypt));
  assert.deepEqual(Buffer.from(opened!.macK), Buffer.from(masterKey.macK));
  assert.deepEqual(Buffer.from(opened!.macR), Buffer.from(masterKey.macR));
  assert.equal(await openKeyFile(bytes, 'wrong horse'), undefined);
  assert.equal(await openKeyFile(bytes, ''), undefined);
});

test('a key file holds no key in the clear', () => {
  const text = createKeyFile({ ...options, params }).bytes.toString();
  for (const part of [masterKey.encrypt, masterKey.macK, masterKey.macR]) {
    assert.ok(!text.includes(Buffer.from(part).toString('base64')));
  }
  assert.ok(!text.includes(options.password));
});

test('the default parameters open, which need more memory than the platform allows unasked', async () => {
  const { bytes } = createKeyFile(options);
  assert.notEqual(await openKeyFile(bytes, 'correct horse'), undefined);
});

test('a key file that asks for absurd memory or work is refused before anything is derived', async () => {
  for (const change of [
    { N: 2 ** 30 },
    { N: 2 ** 22 },
    { N: 2 ** 40 },
    { r: 2 ** 20 },
    { p: 2 ** 24 },
    { N: 32768, r: 8, p: 1000 },
    { N: 0 },
    { N: 1 },
    { N: 3 },
    { N: 1.5 },
    { N: -16 },
    { N: '16' },
    { r: 0 },
    { p: null },
    { N: Number.NaN },
  ]) {
    await assert.rejects(() => openKeyFile(edited(change), 'correct horse'), isMalformed, JSON.stringify(change));
  }
});

test('a malformed key file is an error, not a wrong password', async () => {
  for (const change of [
    { kdf: 'argon2' },
    { salt: '' },
    { salt: 'AAAA' },
    { salt: 5 },
    { salt: '!'.repeat(88) },
    { data: undefined },
    { data: '###=' },
  ]) {
    await assert.rejects(() => openKeyFile(edited(change), 'correct horse'), isMalformed, JSON.stringify(change));
  }
  for (const text of ['', 'null', '[]', '{}', '{', '"x"', 'x'.repeat(100_000)]) {
    await assert.rejects(() => openKeyFile(Buffer.from(text), 'correct horse'), isMalformed);
  }
});

test('a key file cut short or with damaged data opens for nobody', async () => {
  const { bytes } = createKeyFile({ ...options, params });
  for (let length = 0; length < bytes.length; length += 7) {
    await assert.rejects(() => openKeyFile(bytes.subarray(0, length), 'correct horse'), isMalformed);
  }
  assert.equal(await openKeyFile(edited({ data: Buffer.alloc(10).toString('base64') }), 'correct horse'), undefined);
});

test('calibration never goes below the floor nor above 32 MiB', () => {
  const { N, r, p } = calibrateScrypt(systemClock);
  assert.equal(N, SCRYPT_FLOOR.N);
  assert.equal(r, SCRYPT_FLOOR.r);
  assert.ok(p >= 1 && p <= 16);
});

test('calibration spends on a fast machine what it saves', () => {
  let now = 0;
  const clock = { ...systemClock, monotonic: () => (now += 100) };
  assert.deepEqual(calibrateScrypt(clock), { ...SCRYPT_FLOOR, p: 5 });
});
