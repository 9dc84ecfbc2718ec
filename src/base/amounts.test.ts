/** Durations, sizes, names: how people write them and how they are shown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, parseDuration } from './durations.ts';
import { howMany } from './how-many.ts';
import { printable } from './printable.ts';
import { formatBytes, parseQuota, parseSize } from './sizes.ts';
import { nearest } from './suggest.ts';

test('durations are numbers with units, largest first', () => {
  assert.equal(parseDuration('90s'), 90_000);
  assert.equal(parseDuration('1h30m'), 5_400_000);
  assert.equal(parseDuration('4w'), 2_419_200_000);
  for (const wrong of ['', '5', 'm', '5 m', '5min', '30m1h', '1h1h', '-1h', '1.5h', '5M', '1y']) {
    assert.equal(parseDuration(wrong), undefined, wrong);
  }
});

test('durations are shown with at most two units', () => {
  const cases: [number, string][] = [
    [0, '0.0 s'],
    [430, '0.4 s'],
    [9_960, '10 s'],
    [59_600, '1 min'],
    [185_000, '3 min 5 s'],
    [3_600_000, '1 h'],
    [7_800_000, '2 h 10 min'],
    [3_599_900, '1 h'],
    [90_000_000, '1 d 1 h'],
  ];
  for (const [ms, text] of cases) assert.equal(formatDuration(ms), text);
});

test('sizes are binary and need their unit', () => {
  assert.equal(parseSize('16MiB'), 16 * 1024 ** 2);
  assert.equal(parseSize('1.5 GiB'), 1.5 * 1024 ** 3);
  assert.equal(parseSize('0B'), 0);
  for (const wrong of ['', '16', '16MB', '16 M', 'MiB', '-1MiB', '1e3MiB', '99999999PiB']) {
    assert.equal(parseSize(wrong), undefined, wrong);
  }
  assert.equal(parseQuota('1.5TB'), 1.5e12);
  assert.equal(parseQuota('2 TiB'), 2 * 1024 ** 4);
  assert.equal(parseQuota('500 MB'), undefined);
});

test('sizes are shown with three digits and never as 1024 of a unit', () => {
  const cases: [number, string][] = [
    [0, '0 B'],
    [1_023, '1023 B'],
    [1_024, '1.00 KiB'],
    [1024 ** 2 - 1, '1.00 MiB'],
    [312 * 1024 ** 2, '312 MiB'],
    [20 * 1024 ** 3, '20.0 GiB'],
  ];
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
});

test('a mistyped word finds the one that was meant, and only when it is near', () => {
  const words = ['backup', 'check', 'exclude', 'path', 'restore'];
  assert.equal(nearest('bakcup', words), 'backup');
  assert.equal(nearest('exlude', words), 'exclude');
  assert.equal(nearest('PATH', words), 'path');
  assert.equal(nearest('zzz', words), undefined);
  assert.equal(nearest('ch', words), undefined);
});

test('names cannot drive the terminal', () => {
  assert.equal(printable('a\u001b[2Jb\n\u202ec\u007f'), 'a\\x1b[2Jb\\x0a\\u202ec\\x7f');
  assert.equal(printable('señal 日本 😀'), 'señal 日本 😀');
});

test('one of something is told in the singular', () => {
  assert.equal(howMany(1, 'files'), '1 file');
  assert.equal(howMany(0, 'files'), '0 files');
  assert.equal(howMany(20_000, 'rows'), '20,000 rows');
  assert.equal(howMany(1, 'indexes'), '1 index');
  assert.equal(howMany(1, 'directories'), '1 directory');
  assert.equal(howMany(1, 'pieces of WAL'), '1 piece of WAL');
  assert.equal(howMany(1, 'key files'), '1 key file');
});
