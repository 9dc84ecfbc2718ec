/** Retention as a calculation: which points stay, and that nothing that must stay ever goes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Id } from '../base/ids.ts';
import type { RetentionSettings } from '../config/settings.ts';
import { GRACE_MS, planRetention, type RetainedPoint } from './retention.ts';

const DAY = 24 * 3600_000;
const NOW = Date.UTC(2026, 10, 21, 12);

let made = 0;
function point(time: number, more: Partial<RetainedPoint> = {}): RetainedPoint {
  const id = (made++).toString(16).padStart(64, '0') as Id;
  return { id, time, sources: ['database', 'media'], proof: 'stored', damaged: false, pinned: false, ...more };
}

/** Times of the kept points, newest first. */
function kept(points: readonly RetainedPoint[], rules: RetentionSettings | undefined, now = NOW, timeZone = 'UTC') {
  return planRetention(points, rules, { now, timeZone })
    .filter(({ keep }) => keep)
    .map(({ point: { time } }) => time)
    .sort((a, b) => b - a);
}

const daily = (count: number, step = DAY) => Array.from({ length: count }, (_, i) => point(NOW - i * step));

test('without rules every point is kept', () => {
  assert.equal(kept(daily(10), undefined).length, 10);
});

test('last keeps the newest', () => {
  assert.deepEqual(
    kept(daily(5), { last: 2 }),
    [0, 1].map((i) => NOW - i * DAY),
  );
});

test('daily keeps the last point of each day that has one', () => {
  const points = [
    point(NOW),
    point(NOW - 3600_000),
    point(NOW - DAY),
    point(NOW - DAY - 3600_000),
    point(NOW - 9 * DAY),
  ];
  assert.deepEqual(kept(points, { daily: 3 }), [NOW, NOW - DAY, NOW - 9 * DAY]);
});

test('rules add up: seven days, four weeks, twelve months', () => {
  const times = kept(daily(400), { daily: 7, weekly: 4, monthly: 12 });
  assert.ok(times.length >= 18 && times.length <= 22, String(times.length));
  assert.ok(times.at(-1)! < NOW - 300 * DAY);
});

test('within counts from the newest point', () => {
  assert.equal(kept(daily(10), { within: 3 * DAY }).length, 4);
});

test('days begin by the time zone', () => {
  const points = [point(Date.UTC(2026, 10, 20, 23, 30)), point(Date.UTC(2026, 10, 20, 22, 30))];
  assert.equal(kept(points, { daily: 9 }, NOW, 'UTC').length, 1);
  assert.equal(kept(points, { daily: 9 }, NOW, 'Europe/Madrid').length, 2);
});

test('the hour that the clock change repeats is two hours', () => {
  const points = [point(Date.UTC(2026, 9, 25, 0, 30)), point(Date.UTC(2026, 9, 25, 1, 30))];
  assert.equal(kept(points, { hourly: 9 }, NOW, 'Europe/Madrid').length, 2);
});

test('weeks follow ISO 8601 over the turn of the year', () => {
  const points = [Date.UTC(2026, 11, 31), Date.UTC(2027, 0, 3), Date.UTC(2027, 0, 4)].map((time) => point(time));
  assert.deepEqual(kept(points, { weekly: 9 }, Date.UTC(2027, 0, 5)), [Date.UTC(2027, 0, 4), Date.UTC(2027, 0, 3)]);
});

test('a pinned point stays', () => {
  const points = [...daily(5), point(NOW - 100 * DAY, { pinned: true })];
  assert.ok(kept(points, { last: 1 }).includes(NOW - 100 * DAY));
});

test('the newest whole point stays when newer ones are damaged', () => {
  const points = [point(NOW, { damaged: true }), point(NOW - DAY), point(NOW - 2 * DAY)];
  assert.deepEqual(kept(points, { last: 1 }), [NOW, NOW - DAY]);
});

test('nothing goes while no point is known to be good', () => {
  const points = daily(4).map((each) => ({ ...each, damaged: true }));
  assert.equal(kept(points, { last: 1 }).length, 4);
});

test('a check alone sets no point apart', () => {
  const points = [...daily(5), point(NOW - 60 * DAY, { proof: 'read' })];
  assert.deepEqual(kept(points, { last: 1 }), [NOW]);
});

test('the newest point proven by a restore stays beside the newest', () => {
  const points = [...daily(5), point(NOW - 60 * DAY, { proof: 'restored' })];
  assert.deepEqual(kept(points, { last: 1 }), [NOW, NOW - 60 * DAY]);
});

test('a point proven by a restore stays seven days longer than its rule, others do not', () => {
  const proven = (i: number) => (i % 2 === 0 ? { proof: 'restored' as const } : {});
  const points = Array.from({ length: 30 }, (_, i) => point(NOW - i * DAY, proven(i)));
  const times = kept(points, { within: 3 * DAY });
  assert.deepEqual(
    times,
    [0, 1, 2, 3, 4, 6, 8, 10].map((i) => NOW - i * DAY),
  );
  assert.equal(GRACE_MS, 7 * DAY);
});

test('points dated in the future neither go nor push others out', () => {
  const points = [...daily(3), ...[1, 2, 3].map((years) => point(NOW + years * 365 * DAY))];
  const times = kept(points, { daily: 3, within: DAY });
  assert.equal(times.length, 6);
});

test('a clock that jumped ahead removes nothing', () => {
  const points = daily(5);
  assert.deepEqual(kept(points, { within: 10 * DAY }, NOW + 3650 * DAY), kept(points, { within: 10 * DAY }));
  assert.deepEqual(kept(points, { daily: 3 }, NOW + 3650 * DAY), kept(points, { daily: 3 }));
});

test('a clock that was set back removes nothing', () => {
  assert.equal(kept(daily(5), { last: 1 }, NOW - 3650 * DAY).length, 5);
});

test('a point of the database alone does not push out a whole one', () => {
  const whole = point(NOW - 3600_000);
  const partial = point(NOW, { sources: ['database'] });
  assert.deepEqual(kept([whole, partial], { daily: 1 }), [NOW, NOW - 3600_000]);
});

test('points from before a source was added age out', () => {
  const old = Array.from({ length: 5 }, (_, i) => point(NOW - (10 + i) * DAY, { sources: ['database'] }));
  assert.equal(kept([...daily(7), ...old], { daily: 7 }).length, 7);
});

test('every decision says why', () => {
  for (const decision of planRetention(daily(20), { daily: 3, weekly: 1 }, { now: NOW, timeZone: 'UTC' })) {
    if (decision.keep) assert.ok(decision.reasons.length > 0);
    else assert.equal(decision.why, 'daily 3, weekly 1');
  }
});
