import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cronProblem, isTimeZone } from './cron.ts';

test('cron expressions with lists, ranges, steps and names are taken', () => {
  const good = [
    '0 2 * * *',
    '*/15 8-18/2 1,15 jan-mar mon',
    '0 3 1 * *',
    '@daily',
    '5 4 * * SUN',
    '0 0 29 2 *',
    '0 0 * * 7',
    '0 0 31 1,2 *',
  ];
  for (const text of good) assert.equal(cronProblem(text), undefined, text);
});

test('what cron would never run, or could not read, is refused', () => {
  const bad = [
    '',
    '0 2 * *',
    '60 * * * *',
    '0 24 * * *',
    '0 0 0 * *',
    '0 0 * 13 *',
    '0 0 * * 8',
    '*/0 * * * *',
    '5-1 * * * *',
  ];
  bad.push(
    '1-2-3 * * * *',
    '* * * * * *',
    'a b c d e',
    '@often',
    '0 0 31 2 *',
    '0 0 31 2,4 *',
    '1/2/3 * * * *',
    ', * * * *',
  );
  for (const text of bad) assert.notEqual(cronProblem(text), undefined, text);
});

test('time zones are those the machine knows', () => {
  assert.ok(isTimeZone('Europe/Madrid'));
  assert.ok(isTimeZone('UTC'));
  assert.ok(!isTimeZone('Madrid'));
});
