import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inHours, parseHours } from './hours.ts';

const at = (text: string) => Date.parse(text);

test('hours are read with and without days, and nothing else is', () => {
  assert.deepEqual(parseHours('08:00-18:30'), { days: [0, 1, 2, 3, 4, 5, 6], from: 480, to: 1110 });
  assert.deepEqual(parseHours('fri-mon,wed 22:00-06:00'), { days: [0, 1, 3, 5, 6], from: 1320, to: 360 });
  for (const wrong of ['8-18', '08:00', '25:00-26:00', '08:00-24:30', 'foo 08:00-18:00', '08:00-08:00', ''])
    assert.equal(parseHours(wrong), undefined, wrong);
});

test('hours are those of the time zone, also on the day clocks change', () => {
  const hours = parseHours('mon-fri 08:00-18:00')!;
  assert.equal(inHours(hours, at('2026-11-20T07:30:00Z'), 'Europe/Madrid'), true); // Friday, 08:30 there
  assert.equal(inHours(hours, at('2026-11-20T07:30:00Z'), 'UTC'), false);
  assert.equal(inHours(hours, at('2026-11-21T09:00:00Z'), 'UTC'), false); // Saturday
  assert.equal(inHours(parseHours('02:00-03:00')!, at('2026-10-25T01:30:00Z'), 'Europe/Madrid'), true);
});

test('hours over midnight belong to the day they begin on', () => {
  const night = parseHours('fri 22:00-06:00')!;
  assert.equal(inHours(night, at('2026-11-20T23:00:00Z'), 'UTC'), true);
  assert.equal(inHours(night, at('2026-11-21T05:59:00Z'), 'UTC'), true);
  assert.equal(inHours(night, at('2026-11-20T05:00:00Z'), 'UTC'), false);
});
