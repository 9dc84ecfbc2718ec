import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { isFailure } from './failure.ts';
import {
  formatMicroseconds,
  formatUtc,
  formatUtcAndLocal,
  parseMicroseconds,
  parseTime,
  withLocal,
} from './relative-time.ts';

const NOW = Date.UTC(2025, 2, 1, 12, 0, 0);

test('RFC 3339 with a zone is taken', () => {
  const cases: [string, string][] = [
    ['2025-03-01T08:30:00Z', '2025-03-01T08:30:00.000Z'],
    ['2025-03-01t08:30:00z', '2025-03-01T08:30:00.000Z'],
    ['2025-03-01 09:30:00+01:00', '2025-03-01T08:30:00.000Z'],
    ['2025-03-01T08:30:00.123456789-05:30', '2025-03-01T14:00:00.123Z'],
    ['2024-02-29T23:59:59.5 +00:00', '2024-02-29T23:59:59.500Z'],
    ['2025-03-01 09:30:00.25+01', '2025-03-01T08:30:00.250Z'],
    ['2025-03-01T14:00:00+0530', '2025-03-01T08:30:00.000Z'],
  ];
  for (const [text, expected] of cases) assert.equal(new Date(parseTime(text, NOW)).toISOString(), expected, text);
});

test('a time before now is written as a duration and "ago"', () => {
  assert.equal(parseTime('10m ago', NOW), NOW - 600_000);
  assert.equal(parseTime(' 1h30m ago ', NOW), NOW - 5_400_000);
  assert.equal(parseTime('2d ago', NOW), NOW - 172_800_000);
  assert.equal(parseTime('10 minutes ago', NOW), NOW - 600_000);
  assert.equal(parseTime('1 hour ago', NOW), NOW - 3_600_000);
});

test('what is not a time is refused', () => {
  const wrong = [
    '13am',
    '',
    'now',
    'yesterday',
    'ago',
    '10 ago',
    '10x ago',
    '-5m ago',
    '10m',
    '1740000000',
    '2025-02-30T00:00:00Z',
  ];
  wrong.push(
    '2025-13-01T00:00:00Z',
    '2025-03-01T24:00:00Z',
    '2025-03-01T08:60:00Z',
    '2025-03-01T08:30:00+25:00',
    '2025-03-01T08:30:00+2',
    '10 minute(s) ago',
    '0050-03-01T08:30:00Z',
  );
  for (const text of wrong)
    assert.throws(
      () => parseTime(text, NOW),
      (error) => isFailure(error, 'usage'),
      text,
    );
});

test('a time without a zone is refused by name', () => {
  for (const text of ['2025-03-01T08:30:00', '2025-03-01 08:30', '2025-03-01']) {
    assert.throws(() => parseTime(text, NOW), /zone/, text);
  }
});

test('times are echoed as UTC and as local time', () => {
  assert.equal(formatUtc(NOW), '2025-03-01T12:00:00Z');
  assert.equal(formatUtcAndLocal(NOW, 'UTC'), '2025-03-01T12:00:00Z');
  assert.equal(formatUtcAndLocal(NOW, 'Europe/Madrid'), '2025-03-01T12:00:00Z (2025-03-01 13:00:00 GMT+1)');
  assert.equal(formatUtcAndLocal(NOW, 'Europe/London'), '2025-03-01T12:00:00Z');
  assert.equal(formatUtcAndLocal(NOW, 'America/St_Johns'), '2025-03-01T12:00:00Z (2025-03-01 08:30:00 GMT-3:30)');
  assert.equal(formatUtcAndLocal(NOW, 'Pacific/Kiritimati'), '2025-03-01T12:00:00Z (2025-03-02 02:00:00 GMT+14)');
});

test('local time is that of the zone of the process, summer and winter', () => {
  const print =
    "import { formatUtcAndLocal as f } from './src/base/relative-time.ts'; console.log(f(1740830400000), f(1753963200000))";
  const args = ['--input-type=module', '--eval', print];
  const stdout = execFileSync(process.execPath, args, { env: { TZ: 'America/New_York' }, encoding: 'utf8' });
  const winter = '2025-03-01T12:00:00Z (2025-03-01 07:00:00 GMT-5)';
  assert.equal(stdout.trim(), `${winter} 2025-07-31T12:00:00Z (2025-07-31 08:00:00 GMT-4)`);
});

test('microseconds are kept where they are written', () => {
  assert.equal(parseMicroseconds('2025-03-01T08:30:00.123456Z', 0), 1_740_817_800_123_456n);
  assert.equal(parseMicroseconds('2025-03-01 09:30:00.1+01:00', 0), 1_740_817_800_100_000n);
  assert.equal(parseMicroseconds('2025-03-01T08:30:00Z', 0), 1_740_817_800_000_000n);
  assert.equal(parseMicroseconds('2025-03-01T08:30:00.123456789Z', 0), 1_740_817_800_123_456n);
  assert.equal(parseMicroseconds('10m ago', 1_740_817_800_123), 1_740_817_200_123_000n);
});

test('microseconds are all shown; a time of no calendar is the epoch', () => {
  assert.equal(formatMicroseconds(1_740_817_800_000_042n), '2025-03-01T08:30:00.000042Z');
  assert.equal(formatMicroseconds(1n << 63n), '1970-01-01T00:00:00.775808Z');
});

test('a time of a record keeps its fraction and gets its local form; anything else stays', () => {
  const paris = withLocal('2025-03-01T08:30:00.000042Z', 'Europe/Paris');
  assert.match(paris, /^2025-03-01T08:30:00\.000042Z \(2025-03-01 09:30:00 .+\)$/);
  for (const text of ['the newest archived commit', '--xid 5', 'latest']) assert.equal(withLocal(text), text);
});
