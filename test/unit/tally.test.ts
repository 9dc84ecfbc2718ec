import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGood, NOTHING, sentence, strict, sum } from '../../scripts/testing/tally.ts';

test('a run of nothing is not a good run', () => {
  assert.equal(isGood(NOTHING), false);
  assert.equal(isGood({ passed: 1, failed: 0, skips: [] }), true);
  assert.equal(isGood({ passed: 9, failed: 1, skips: [] }), false);
});

test('the last line counts over everything that ran', () => {
  const total = sum([
    { passed: 2, failed: 0, skips: [{ test: 'a', reason: 'because' }] },
    { passed: 1, failed: 3, skips: [] },
  ]);
  assert.equal(sentence(total), '3 passed, 3 failed, 1 skipped');
  assert.equal(sentence(NOTHING), '0 passed, 0 failed');
});

test('in CI a skip for want of a program is a failure, any other skip stays one', () => {
  const skips = [
    { test: 'a', reason: 'needs radosgw: not to be had' },
    { test: 'b', reason: 'this file system has no xattrs' },
  ];
  assert.equal(sentence(strict({ passed: 1, failed: 0, skips })), '1 passed, 1 failed, 1 skipped');
});
