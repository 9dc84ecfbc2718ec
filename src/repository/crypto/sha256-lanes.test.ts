import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { sha256All } from './sha256-lanes.ts';

function expected(messages: readonly Uint8Array[]): string[] {
  return messages.map((message) => hash('sha256', message));
}

function actual(messages: readonly Uint8Array[]): string[] {
  const sums = sha256All(messages);
  return messages.map((_, i) => sums.toString('hex', i * 32, i * 32 + 32));
}

test('the sums are those of FIPS 180-4 for the well-known messages', () => {
  const abc = Buffer.from('abc');
  const million = Buffer.alloc(1_000_000, 'a');
  assert.deepEqual(actual([abc, million, million, million, million]), [
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    ...Array.from({ length: 4 }, () => 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'),
  ]);
});

test('four lanes give what one message at a time gives, at every length around block and window borders', () => {
  for (const length of [
    4096, 4119, 4120, 4127, 4128, 65_471, 65_472, 65_480, 65_535, 65_536, 65_537, 131_072, 1_048_576,
  ]) {
    const messages = Array.from({ length: 4 }, () => randomBytes(length));
    assert.deepEqual(actual(messages), expected(messages), `length ${length}`);
  }
});

test('messages of like and of unlike length keep their order and their sums', () => {
  for (let round = 0; round < 40; round++) {
    const count = round % 11;
    const messages = Array.from({ length: count }, (_, i) =>
      randomBytes(50_000 + ((i * 7919 * (round + 1)) % (round < 20 ? 9_000 : 300_000))),
    );
    assert.deepEqual(actual(messages), expected(messages), `round ${round}`);
  }
});

test('no messages and empty messages are hashed too', () => {
  assert.equal(sha256All([]).length, 0);
  const messages = Array.from({ length: 9 }, () => new Uint8Array(0));
  assert.deepEqual(actual(messages), expected(messages));
});
