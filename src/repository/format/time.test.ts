import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../base/failure.ts';
import { damagedCopies, decodesOrRefuses, numbers } from './testing/hostile.ts';
import { formatTime, parseTime } from './time.ts';

/** Nanoseconds and the text Go writes for them. */
const TIMES: readonly (readonly [bigint, string])[] = [
  [0n, '1970-01-01T00:00:00Z'],
  [1n, '1970-01-01T00:00:00.000000001Z'],
  [-1n, '1969-12-31T23:59:59.999999999Z'],
  [-1_500_000_000n, '1969-12-31T23:59:58.5Z'],
  [1_700_000_000_123_456_000n, '2023-11-14T22:13:20.123456Z'],
  [951_827_696_000_000_000n, '2000-02-29T12:34:56Z'],
  [4_107_542_400_000_000_000n, '2100-03-01T00:00:00Z'],
  [-62_135_596_800_000_000_000n, '0001-01-01T00:00:00Z'],
  [253_402_300_799_999_999_999n, '9999-12-31T23:59:59.999999999Z'],
];

test('times are written as Go writes them and read back', () => {
  for (const [ns, text] of TIMES) {
    assert.equal(formatTime(ns), text);
    assert.equal(parseTime(text), ns);
  }
});

test('times agree with the platform over ten thousand random moments', () => {
  const below = numbers(7);
  for (let i = 0; i < 10_000; i++) {
    const ms = below(2 ** 48) - 2 ** 46;
    const text = new Date(ms).toISOString();
    if (text.startsWith('+') || text.startsWith('-')) continue;
    assert.equal(parseTime(text), BigInt(ms) * 1_000_000n);
    assert.equal(parseTime(formatTime(BigInt(ms) * 1_000_000n)), BigInt(ms) * 1_000_000n);
    assert.equal(formatTime(BigInt(ms) * 1_000_000n), text.replace(/\.?0*Z$/, 'Z'));
  }
});

test('a time in any zone is the same moment', () => {
  const moment = parseTime('2026-07-01T10:00:00.5Z');
  assert.equal(parseTime('2026-07-01T12:00:00.5+02:00'), moment);
  assert.equal(parseTime('2026-07-01T04:30:00.500-05:30'), moment);
  assert.equal(parseTime('2026-07-01t10:00:00.500000000999z'), moment);
});

test('years the format cannot write become the nearest it can', () => {
  assert.equal(formatTime(2n ** 80n), '9999-12-31T23:59:59Z');
  assert.equal(formatTime(-(2n ** 80n)), '0000-01-01T00:00:00Z');
});

test('anything else is refused', () => {
  for (const text of [
    '',
    '2026',
    '2026-07-01',
    '2026-07-01T10:00:00',
    '2026-07-01 10:00:00Z',
    '2026-13-01T10:00:00Z',
    '2026-00-01T10:00:00Z',
    '2026-07-00T10:00:00Z',
    '2026-07-01T24:00:00Z',
    '2026-07-01T10:00:00.Z',
    '2026-07-01T10:00:00+2:00',
    '2026-07-01T10:00:00Zx',
    '2026-07-01T10-00:00Z',
    '-026-07-01T10:00:00Z',
    '2026-07-01T10:00:00+0200',
  ]) {
    assert.throws(() => parseTime(text), Failure, text);
  }
  for (const damaged of damagedCopies(Buffer.from('2026-07-01T10:00:00.123+02:00'), 300)) {
    decodesOrRefuses(() => parseTime(damaged.toString('latin1')));
  }
});
