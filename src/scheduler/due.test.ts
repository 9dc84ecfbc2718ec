import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Blackout, outsideBlackouts } from './blackout.ts';
import { evaluate, type Occurrence, RECORDED_MISSES, type Timetable } from './due.ts';

const at = (text: string) => Date.parse(text);
const utc = (time: number) => new Date(time).toISOString().slice(0, 16);

function daily(given: Partial<Timetable> = {}): Timetable {
  return {
    id: 'clinic.backup',
    cron: '0 2 * * *',
    timezone: 'UTC',
    jitterMs: 0,
    catchUp: true,
    blackout: [],
    enabled: true,
    evaluatedUntil: at('2026-06-01T12:00Z'),
    ...given,
  };
}

const told = (occurrences: readonly Occurrence[]) =>
  occurrences.map((each) => `${each.what} ${utc(each.scheduledFor)}`);

test('nothing is due before its time, and the time to look again is told', () => {
  const { occurrences, nextAt } = evaluate(daily(), at('2026-06-02T01:59Z'));
  assert.deepEqual(occurrences, []);
  assert.equal(utc(nextAt!), '2026-06-02T02:00');
});

test('what is due runs once', () => {
  const now = at('2026-06-02T02:00Z');
  const first = evaluate(daily(), now);
  assert.partialDeepStrictEqual(first.occurrences, [
    { what: 'run', trigger: 'schedule', scheduledFor: now, startAt: now },
  ]);
  assert.deepEqual(evaluate(daily({ evaluatedUntil: first.evaluatedUntil }), now + 1_000).occurrences, []);
});

test('after days without service one run catches up and says how many were missed; each missed one is on record', () => {
  const { occurrences } = evaluate(daily(), at('2026-06-05T09:00Z'));
  assert.deepEqual(told(occurrences), [
    'skip 2026-06-02T02:00',
    'skip 2026-06-03T02:00',
    'skip 2026-06-04T02:00',
    'run 2026-06-05T02:00',
  ]);
  assert.partialDeepStrictEqual(occurrences.at(-1), {
    trigger: 'catch-up',
    startAt: at('2026-06-05T09:00Z'),
    reason: '7 h late: nothing looked at schedules when it was due. Stands for 3 missed before.',
  });
});

test('without catch-up what is late is skipped with that reason, what is on time runs', () => {
  const late = evaluate(daily({ catchUp: false }), at('2026-06-03T09:00Z'));
  assert.deepEqual(told(late.occurrences), ['skip 2026-06-02T02:00', 'skip 2026-06-03T02:00']);
  assert.match((late.occurrences.at(-1) as { reason: string }).reason, /does not catch up/);
  const onTime = evaluate(daily({ catchUp: false }), at('2026-06-03T02:01Z'));
  assert.deepEqual(told(onTime.occurrences), ['skip 2026-06-02T02:00', 'run 2026-06-03T02:00']);
});

test('years without service leave a bounded record that says there was more', () => {
  const { occurrences } = evaluate(daily({ cron: '* * * * *', evaluatedUntil: 0 }), at('2026-06-03T09:00Z'));
  assert.equal(occurrences.length, RECORDED_MISSES + 1);
  assert.match((occurrences[0] as { reason: string }).reason, /Older ones were missed as well/);
  assert.match((occurrences.at(-1) as { reason: string }).reason, /more than 24 missed/);
});

test('a clock that goes back makes no time come twice, and one that was far ahead does not stop the schedule', () => {
  const ahead = evaluate(daily(), at('2027-06-02T02:00Z'));
  const back = at('2026-06-02T01:00Z');
  const corrected = evaluate(daily({ evaluatedUntil: ahead.evaluatedUntil }), back);
  assert.deepEqual(corrected.occurrences, []);
  assert.equal(utc(corrected.nextAt!), '2026-06-02T02:00');
  const again = evaluate(daily({ evaluatedUntil: corrected.evaluatedUntil }), at('2026-06-02T02:00Z'));
  assert.deepEqual(told(again.occurrences), ['run 2026-06-02T02:00']);

  const done = evaluate(daily(), at('2026-06-02T02:00Z')).occurrences[0]!;
  const twice = evaluate(daily({ evaluatedUntil: at('2026-06-02T01:59Z') }), at('2026-06-02T02:00Z')).occurrences[0]!;
  assert.equal(done.dedupe, twice.dedupe);
});

test('a time that a wrong clock took for missed still runs when it comes', () => {
  const wrong = evaluate(daily(), at('2026-06-04T02:00Z')).occurrences;
  const right = evaluate(daily(), at('2026-06-02T02:00Z')).occurrences[0]!;
  assert.equal(
    wrong.some(({ dedupe }) => dedupe === right.dedupe),
    false,
  );
});

test('jitter is the same for the same occurrence, within its bound, and spread over schedules', () => {
  const now = at('2026-06-02T02:00Z');
  const starts = Array.from({ length: 200 }, (_, n) => {
    const [run] = evaluate(daily({ id: `app${n}.backup`, jitterMs: 600_000 }), now).occurrences;
    return run?.what === 'run' ? run.startAt - now : -1;
  });
  const again = evaluate(daily({ id: 'app0.backup', jitterMs: 600_000 }), now).occurrences[0];
  assert.equal(again?.what === 'run' && again.startAt - now, starts[0]);
  assert.ok(starts.every((start) => start >= 0 && start < 600_000));
  assert.ok(new Set(starts.map((start) => Math.floor(start / 60_000))).size === 10, 'every minute of the ten has some');
});

const WORK_HOURS: Blackout = { from: '08:00', to: '18:00', days: ['mon', 'tue', 'wed', 'thu', 'fri'] };

test('in a blackout window the run is put off to its end, or skipped when the next one comes first', () => {
  const once = evaluate(daily({ cron: '0 10 * * *', blackout: [WORK_HOURS] }), at('2026-06-02T10:00Z'));
  assert.partialDeepStrictEqual(once.occurrences, [{ what: 'run', startAt: at('2026-06-02T18:00Z') }]);
  const hourly = evaluate(
    daily({ cron: '0 * * * *', blackout: [WORK_HOURS], evaluatedUntil: at('2026-06-02T09:30Z') }),
    at('2026-06-02T10:00Z'),
  );
  assert.match(
    (hourly.occurrences[0] as { reason: string }).reason,
    /blackout window until 2026-06-02 18:00 UTC; the next occurrence/,
  );
});

test('blackout windows know days, midnight, each other, the time zone and its changes of clocks', () => {
  const free = (blackouts: readonly Blackout[], zone: string, time: string) => {
    const end = outsideBlackouts(blackouts, zone, at(time));
    return end === undefined ? undefined : utc(end);
  };
  assert.equal(free([WORK_HOURS], 'UTC', '2026-06-06T10:00Z'), '2026-06-06T10:00', 'a Saturday');
  assert.equal(free([WORK_HOURS], 'Europe/Madrid', '2026-06-02T06:00Z'), '2026-06-02T16:00');
  const night: Blackout = { from: '22:00', to: '06:00', days: ['fri'] };
  assert.equal(
    free([night], 'UTC', '2026-06-06T05:59Z'),
    '2026-06-06T06:00',
    'Saturday morning belongs to Friday night',
  );
  assert.equal(free([night], 'UTC', '2026-06-07T05:59Z'), '2026-06-07T05:59');
  const chained: Blackout[] = [
    { from: '00:00', to: '06:00' },
    { from: '05:00', to: '24:00', days: ['tue'] },
  ];
  assert.equal(free(chained, 'UTC', '2026-06-02T01:00Z'), '2026-06-03T06:00');
  assert.equal(free([{ from: '00:00', to: '24:00' }], 'UTC', '2026-06-02T01:00Z'), undefined);
  assert.equal(free([{ from: '01:00', to: '04:00' }], 'Europe/Madrid', '2026-10-25T00:30Z'), '2026-10-25T03:00');
});

test('a disabled schedule asks for nothing, and misses nothing for when it is enabled again', () => {
  const off = evaluate(daily({ enabled: false }), at('2026-06-09T12:00Z'));
  assert.deepEqual(off, { occurrences: [], evaluatedUntil: at('2026-06-09T12:00Z'), nextAt: null });
});
