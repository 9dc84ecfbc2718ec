import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideStable } from './stable.ts';

const before = { size: 10, mtimeNs: 1n, ctimeNs: 1n };

test('a file that did not change while it was read is stable, at any attempt', () => {
  for (const attempt of [1, 2, 3]) assert.equal(decideStable(before, { ...before }, attempt), 'stable');
});

test('a file that changed is read again, twice, and is then marked', () => {
  for (const change of [{ size: 11 }, { mtimeNs: 2n }, { ctimeNs: 2n }]) {
    const after = { ...before, ...change };
    assert.deepEqual(
      [1, 2, 3].map((attempt) => decideStable(before, after, attempt)),
      ['again', 'again', 'changed'],
    );
  }
});
