import assert from 'node:assert/strict';
import { test } from 'node:test';
import { time } from './times.ts';

test('times are written as the platform writes them, before the epoch and beyond four digits of a year too', () => {
  const edges = [0, -1, 1, 999, 59_999, 86_399_999, 86_400_000, -86_400_001, 1_763_722_800_123.7, 8.64e15, -8.64e15];
  const spread = Array.from({ length: 500 }, (_, n) => (n - 100) * 7_919_123_457);
  for (const ms of [...edges, ...spread]) assert.equal(time(ms), new Date(ms).toISOString());
});

test('what is no time is refused', () => {
  for (const ms of [Number.NaN, 9e15, Number.POSITIVE_INFINITY]) assert.throws(() => time(ms), RangeError);
});
