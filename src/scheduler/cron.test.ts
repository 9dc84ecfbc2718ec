import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cron } from 'croner';
import { dueTimes, nextTime, presetCron } from './cron.ts';

const at = (text: string) => Date.parse(text);
const utc = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString().slice(0, 16));

function series(cron: string, zone: string, from: string, count: number): (string | undefined)[] {
  const times: (string | undefined)[] = [];
  for (let time: number | undefined = at(from); times.length < count; ) {
    time = nextTime(cron, zone, time!);
    times.push(utc(time));
  }
  return times;
}

test('a time that clocks leap over in spring comes once, right after the leap', () => {
  const expected = ['2026-03-28T01:30', '2026-03-29T01:00', '2026-03-30T00:30'];
  assert.deepEqual(series('30 2 * * *', 'Europe/Madrid', '2026-03-28T00:00Z', 3), expected);
});

test('a time that clocks show twice in autumn comes once', () => {
  const expected = ['2026-10-24T00:30', '2026-10-25T00:30', '2026-10-26T01:30'];
  assert.deepEqual(series('30 2 * * *', 'Europe/Madrid', '2026-10-24T00:00Z', 3), expected);
});

test('an hourly schedule goes on by the time that passes, over both changes', () => {
  const spring = ['2026-03-29T00:00', '2026-03-29T01:00', '2026-03-29T02:00'];
  const autumn = ['2026-10-25T00:00', '2026-10-25T01:00', '2026-10-25T02:00'];
  assert.deepEqual(series('0 * * * *', 'Europe/Madrid', '2026-03-28T23:30Z', 3), spring);
  assert.deepEqual(series('0 * * * *', 'Europe/Madrid', '2026-10-24T23:30Z', 3), autumn);
});

test('a day of the month and a day of the week together: either', () => {
  const expected = ['2026-11-27T02:00', '2026-12-04T02:00', '2026-12-11T02:00', '2026-12-13T02:00'];
  assert.deepEqual(series('0 2 13 * fri', 'UTC', '2026-11-21T00:00Z', 4), expected);
});

test('the 29th of February comes when it does', () => {
  assert.deepEqual(series('0 0 29 2 *', 'UTC', '2096-03-01T00:00Z', 1), ['2104-02-29T00:00']);
});

test('presets are the hours of the night; macros are the usual ones', () => {
  assert.equal(presetCron('daily', 'backup'), '0 2 * * *');
  assert.equal(presetCron('daily', 'prune'), '0 5 * * *');
  assert.equal(presetCron('weekly', 'backup'), '0 3 * * 0');
  assert.equal(presetCron('monthly', 'prove'), '0 3 1 * *');
  for (const macro of ['@hourly', '@daily', '@midnight', '@weekly', '@monthly', '@yearly', '@annually'])
    assert.equal(
      utc(nextTime(macro, 'UTC', at('2026-01-31T23:30Z'))),
      utc(referenceNext(macro, 'UTC', at('2026-01-31T23:30Z'))),
    );
});

test('of very many due times the newest are given, quickly, and that there were more', () => {
  const span = { after: at('2006-01-01T00:00Z'), until: at('2026-01-01T00:00Z'), limit: 3 };
  const { times, more } = dueTimes('* * * * *', 'America/New_York', span);
  assert.deepEqual(times.map(utc), ['2025-12-31T23:58', '2025-12-31T23:59', '2026-01-01T00:00']);
  assert.equal(more, true);
  assert.deepEqual(dueTimes('0 0 1 1 *', 'UTC', { ...span, limit: 100 }).times.length, 20);
  assert.equal(dueTimes('0 0 1 1 *', 'UTC', { ...span, limit: 20 }).more, false);
});

test('what is no expression and what is no zone is refused', () => {
  assert.throws(() => nextTime('61 * * * *', 'UTC', 0), { code: 'usage' });
  assert.throws(() => nextTime('0 2 * * *', 'Mars/Olympus', 0), RangeError);
});

/** The slow, well-tested way. */
function referenceNext(cron: string, timezone: string, after: number): number | undefined {
  const job = new Cron(cron, { timezone, mode: '5-part', fixedTimeRule: 'no-wildcard', paused: true });
  return job.nextRun(new Date(after))?.getTime();
}

const ZONES = [
  'Europe/Madrid',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Africa/Casablanca',
  'UTC',
];
const SPANS = [
  '2026-03-28T20:17Z',
  '2026-10-24T20:03Z',
  '2026-03-07T22:00Z',
  '2026-10-31T23:11Z',
  '2026-04-04T08:00Z',
  '2026-10-03T10:00Z',
];
const EXPRESSIONS = [
  ...['0 * * * *', '*/15 * * * *', '30 2 * * *', '0,30 1,2,3 * * *', '15 1-3 * * 0,6', '*/20 */2 * * *'],
  ...['0 3 1 * *', '5 4 * * mon-fri', '0 0 31 * *', '45 1 1-7 * 1', '59 23 * 2,11 *', '0 2 * apr,oct sun'],
];

test('croner agrees, around every change of clocks', () => {
  for (const zone of ZONES)
    for (const start of SPANS)
      for (const cron of EXPRESSIONS) {
        let time = at(start);
        for (let step = 0; step < 5; step++) {
          const expected = referenceNext(cron, zone, time);
          assert.equal(utc(nextTime(cron, zone, time)), utc(expected), `${cron} in ${zone} after ${utc(time)}`);
          time = expected!;
        }
      }
});
