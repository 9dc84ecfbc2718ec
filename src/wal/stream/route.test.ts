import assert from 'node:assert/strict';
import { test } from 'node:test';
import { routeFrom, stepsTo } from './route.ts';

/** Of timeline 5: 1 was left at 100 for 3, that at 200 for 5. Numbers need not follow each other. */
const ANCESTORS = [
  { timeline: 1, end: 100n },
  { timeline: 3, end: 200n },
];

test('an ancestor is followed to where it was left, also when the position is exactly there', () => {
  for (const lsn of [50n, 100n]) assert.deepEqual(routeFrom({ timeline: 1, lsn }, 5, ANCESTORS), { kind: 'continue' });
  assert.deepEqual(routeFrom({ timeline: 5, lsn: 999n }, 5, ANCESTORS), { kind: 'continue' });
});

test('what we have beyond a fork stays behind: the next timeline begins at the fork', () => {
  assert.deepEqual(routeFrom({ timeline: 1, lsn: 101n }, 5, ANCESTORS), { kind: 'forked', next: 3, at: 100n });
  assert.deepEqual(routeFrom({ timeline: 3, lsn: 201n }, 5, ANCESTORS), { kind: 'forked', next: 5, at: 200n });
});

test('a server that was recovered along another way, or is older, is known', () => {
  assert.deepEqual(routeFrom({ timeline: 2, lsn: 90n }, 5, ANCESTORS), { kind: 'elsewhere', next: 5, at: 200n });
  assert.deepEqual(routeFrom({ timeline: 6, lsn: 90n }, 5, ANCESTORS), { kind: 'behind' });
});

test('the way over a gap goes through every timeline in between', () => {
  assert.deepEqual(stepsTo(5, { timeline: 1, lsn: 40n }, ANCESTORS), [
    { timeline: 1, start: 40n, end: 100n },
    { timeline: 3, start: 100n, end: 200n },
    { timeline: 5, start: 200n, end: undefined },
  ]);
  assert.deepEqual(stepsTo(5, { timeline: 5, lsn: 240n }, ANCESTORS), [{ timeline: 5, start: 240n, end: undefined }]);
});
