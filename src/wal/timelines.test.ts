/** History files and the ways between timelines. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { isFailure } from '../base/failure.ts';
import {
  ancestorsOf,
  type Histories,
  missingHistories,
  parseHistory,
  timelinePath,
  writeHistory,
} from './timelines.ts';

const text = (...lines: string[]) => Buffer.from(lines.join('\n'));

test('a history file is read with its comments, reasons and blank lines', () => {
  const bytes = text(
    '# by hand',
    '',
    '1\t0/16B3740\tno recovery target specified',
    '  3\t0/9000028\tbefore 2024-01-01 (50%) 4/5',
    '',
  );
  assert.deepEqual(parseHistory(bytes, 5), [
    { timeline: 1, end: 0x16b3740n },
    { timeline: 3, end: 0x9000028n },
  ]);
  assert.deepEqual(parseHistory(Buffer.of(), 1), []);
});

test('a history that falls, names a descendant or makes no sense is damaged', () => {
  for (const lines of [
    ['2\t0/5\tx', '1\t0/9\tx'],
    ['1\t0/9\tx', '2\t0/5\tx'],
    ['5\t0/9\tx'],
    ['1 nonsense'],
    ['hello'],
    ['0\t0/9'],
    ['99999999999\t0/9'],
  ])
    assert.throws(() => parseHistory(text(...lines), 5), { code: 'data_damaged' }, lines.join());
  for (let i = 0; i < 300; i++) {
    try {
      parseHistory(randomBytes(i), 7);
    } catch (error) {
      assert.ok(isFailure(error, 'data_damaged'), String(error));
    }
  }
});

const HISTORIES: Histories = new Map([
  [3, [{ timeline: 1, end: 100n }]],
  [
    4,
    [
      { timeline: 1, end: 100n },
      { timeline: 3, end: 250n },
    ],
  ],
  [7, [{ timeline: 1, end: 60n }]],
]);

test('the next timeline is not always the number after', () => {
  assert.deepEqual(timelinePath(HISTORIES, 1, 10n, 4), [
    { timeline: 1, start: 10n, end: 100n },
    { timeline: 3, start: 100n, end: 250n },
    { timeline: 4, start: 250n, end: undefined },
  ]);
  assert.deepEqual(timelinePath(HISTORIES, 3, 120n, 3), [{ timeline: 3, start: 120n, end: undefined }]);
});

test('a timeline that left before the base, or never passed it, is no way', () => {
  for (const [from, at, to] of [
    [1, 80n, 7],
    [3, 120n, 7],
    [1, 10n, 9],
  ] as const)
    assert.throws(() => timelinePath(HISTORIES, from, at, to), { code: 'moment_unreachable' });
});

test('a missing middle history is told from a descendant, and named', () => {
  const some = new Map([...HISTORIES].filter(([timeline]) => timeline === 4));
  assert.deepEqual(ancestorsOf(some, 3), [{ timeline: 1, end: 100n }]);
  assert.deepEqual(parseHistory(writeHistory(ancestorsOf(some, 3)!), 3), HISTORIES.get(3));
  assert.deepEqual(missingHistories(some, [1, 9]), [3, 9]);
  assert.equal(ancestorsOf(some, 2), undefined);
});
