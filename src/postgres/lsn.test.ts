import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatLsn, parseLsn, segmentName, segmentStart } from './lsn.ts';

const MIB = 1024 * 1024;

test('positions are numbers whatever zeros they are printed with', () => {
  assert.equal(parseLsn('16/B374D848'), 0x16_b374d848n);
  assert.equal(parseLsn('0/0000001A'), parseLsn('0/1A'));
  assert.equal(formatLsn(0x16_0000d848n), '16/D848');
  for (const wrong of ['', '1', '1/2/3', 'g/1', '123456789/0', '1/-1']) assert.throws(() => parseLsn(wrong));
});

test('segments are named as PostgreSQL names them, for every segment size', () => {
  assert.equal(segmentName(1, parseLsn('0/1000028'), 16 * MIB), '000000010000000000000001');
  assert.equal(segmentName(0x1f, parseLsn('A/FF000000'), 16 * MIB), '0000001F0000000A000000FF');
  assert.equal(segmentName(1, parseLsn('2/40000000'), 1024 * MIB), '000000010000000200000001');
  assert.equal(segmentName(1, parseLsn('1/0'), MIB), '000000010000000100000000');
  assert.equal(segmentStart(parseLsn('0/5ABCDEF'), 16 * MIB), parseLsn('0/5000000'));
});
