import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outdatedBefore } from './look-times.ts';

const MINUTE = 60_000;
const NOW = 100 * MINUTE;

test('it is looked every few minutes, and soon after something changed', () => {
  assert.equal(outdatedBefore(NOW, 0, false), NOW - 5 * MINUTE);
  assert.equal(outdatedBefore(NOW, NOW - 2_000, false), NOW - 5 * MINUTE);
  assert.equal(outdatedBefore(NOW, NOW - 3_000, false), NOW - 3_000);
});

test('while a run is under way the regular look waits, not for ever; what another run changed is looked at all the same', () => {
  assert.equal(outdatedBefore(NOW, 0, true), NOW - 15 * MINUTE);
  assert.equal(outdatedBefore(NOW, NOW - 3_000, true), NOW - 3_000);
});
