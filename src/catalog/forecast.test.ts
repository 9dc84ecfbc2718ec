import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foretell } from './forecast.ts';

const DAY = 24 * 3_600_000;
const NOW = Date.UTC(2026, 10, 21, 3);
const GB = 1e9;

const series = (values: readonly number[]) =>
  values.map((value, n) => ({
    name: 'storage_used_bytes',
    app: '',
    storage: 'nas',
    at: NOW - (values.length - 1 - n) * DAY,
    value,
  }));
const growth = (values: readonly number[], capacity?: number) => {
  const all = series(values);
  return foretell(all.at(-1)!, all, capacity);
};

test('a storage that grows by the same every day is full on the day the line says', () => {
  const told = growth(
    [10, 12, 14, 16, 18].map((gb) => gb * GB),
    100 * GB,
  );
  assert.equal(told.bytesPerDay, 2 * GB);
  assert.equal(told.fullOn, NOW + 41 * DAY);
  assert.equal(told.usedPercent, 18);
});

test('one day on which much was removed does not bend the forecast', () => {
  const told = growth(
    [10, 11, 12, 13, 4, 5, 6, 7, 8, 9, 10, 11].map((gb) => gb * GB),
    20 * GB,
  );
  assert.equal(told.bytesPerDay, GB);
  assert.equal(told.fullOn, NOW + 9 * DAY);
});

test('nothing is foretold of what shrinks, has no limit, was hardly measured or lasts for ever', () => {
  assert.equal(growth([9, 8, 7, 6], 100).fullOn, undefined);
  assert.equal(growth([1, 2, 3, 4]).fullOn, undefined);
  assert.equal(growth([1, 50], 100).fullOn, undefined);
  assert.equal(growth([1, 50], 100).bytesPerDay, undefined);
  assert.equal(growth([1, 1, 1, 2, 2, 2], 1e9).fullOn, undefined);
});

test('a storage that is full is full now', () => {
  assert.equal(growth([90, 95, 100], 100).fullOn, NOW);
});
