/** What of the archive is still needed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUnneeded, needsOf } from './retention.ts';

const S = 1024 * 1024;
const at = (segments: number) => BigInt(Math.round(segments * S));
const HISTORIES = new Map([
  [2, [{ timeline: 1, end: at(10.5) }]],
  [
    3,
    [
      { timeline: 1, end: at(10.5) },
      { timeline: 2, end: at(20.5) },
    ],
  ],
  [4, [{ timeline: 1, end: at(3.5) }]],
]);

function needs(...bases: readonly (readonly [timeline: number, segments: number])[]) {
  const needy = bases.map(([timeline, start]) => ({ timeline, start: at(start) }));
  return Object.fromEntries(
    [...needsOf(needy, HISTORIES, [1, 2, 3, 4], S)].map(([timeline, from]) => [timeline, Number(from) / S]),
  );
}

test('from the oldest kept base on, along the timelines that follow it', () => {
  assert.deepEqual(needs([1, 5.2], [1, 8], [3, 25]), { 1: 5, 2: 10, 3: 20 });
  assert.deepEqual(needs([3, 25.9]), { 3: 25 });
  assert.deepEqual(needs([1, 2]), { 1: 2, 2: 10, 3: 20, 4: 3 });
});

test('a base of a forked timeline that is newer and lower in the log counts by its position, not by its date', () => {
  assert.deepEqual(needs([3, 30], [4, 6]), { 3: 30, 4: 6 });
});

test('without a base nothing is needed; a timeline whose history is lost may be needed', () => {
  assert.deepEqual(needs(), {});
  const lost = needsOf([{ timeline: 1, start: at(5) }], new Map(), [1, 7], S);
  assert.deepEqual([lost.get(1), lost.get(7)], [at(5), 0n]);
});

test('the segment in which a base begins stays whole', () => {
  const found = needsOf([{ timeline: 1, start: at(5.7) }], HISTORIES, [1], S);
  assert.equal(isUnneeded(found, { timeline: 1, end: at(5) }), true);
  assert.equal(isUnneeded(found, { timeline: 1, end: at(5.1) }), false);
  assert.equal(isUnneeded(found, { timeline: 9, end: at(99) }), true);
});
