/** What a listing covers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Id } from '../base/ids.ts';
import type { StoredPiece } from './archive.ts';
import { commitsAlong, commitsBetween, holes, reach, spanAt, spans } from './coverage.ts';

const MIB = 1024 * 1024;
const HASH = '0'.repeat(64) as Id;

/** Positions in tenths of a segment, commit times as they are. */
function piece(
  timeline: number,
  start: number,
  end: number,
  commits?: readonly [number, number],
  mask = 1,
): StoredPiece {
  const at = (tenths: number) => BigInt(Math.round((tenths * MIB) / 10));
  const [firstCommit, lastCommit] = commits === undefined ? [undefined, undefined] : commits.map(BigInt);
  const place = { timeline, start: at(start), end: at(end), segmentSize: MIB, firstCommit, lastCommit };
  return { piece: { systemIdentifier: '1', hash: HASH, ...place }, mask, size: 100, folded: false };
}

const T = (tenths: number) => BigInt(Math.round((tenths * MIB) / 10));
const held = (...pieces: StoredPiece[]) => ({ pieces });

test('pieces that touch or overlap are one span; the earliest and latest commits count', () => {
  const all = spans(
    held(piece(1, 0, 10, [5, 9]), piece(1, 3, 7), piece(1, 10, 20, [2, 3]), piece(1, 30, 40), piece(2, 10, 20)),
  );
  assert.deepEqual(
    all.map(({ timeline, start, end, firstCommit, lastCommit }) => [timeline, start, end, firstCommit, lastCommit]),
    [
      [1, T(0), T(20), 2n, 9n],
      [1, T(30), T(40), undefined, undefined],
      [2, T(10), T(20), undefined, undefined],
    ],
  );
  assert.deepEqual(holes(all), [{ timeline: 1, start: T(20), end: T(30) }]);
});

test('a gap exactly on the border of a segment is a gap', () => {
  const all = spans(held(piece(1, 0, 10), piece(1, 20, 30)));
  assert.deepEqual(holes(all), [{ timeline: 1, start: T(10), end: T(20) }]);
  assert.equal(spanAt(all, 1, T(10)), undefined);
  assert.equal(spanAt(all, 1, T(20))?.start, T(20));
});

test('what other storages hold does not count for one of them', () => {
  const all = held(piece(1, 0, 10, undefined, 3), piece(1, 10, 20, undefined, 1), piece(1, 20, 30, undefined, 2));
  assert.deepEqual(
    spans(all, 1).map(({ end }) => end),
    [T(20)],
  );
  assert.deepEqual(
    spans(all, 2).map(({ start }) => start),
    [T(0), T(20)],
  );
});

test('a path is followed over its switches, and ends where a byte is missing', () => {
  const it = held(
    piece(1, 0, 10, [1, 2]),
    piece(1, 10, 15, [3, 4]),
    piece(1, 15, 20, [90, 99]),
    piece(2, 10, 20, [3, 8]),
    piece(2, 30, 40),
  );
  const all = spans(it);
  const path = [
    { timeline: 1, start: T(5), end: T(15) },
    { timeline: 2, start: T(15), end: undefined },
  ];
  const found = reach(all, path)!;
  assert.deepEqual([found.timeline, found.end, found.resumes], [2, T(20), T(30)]);
  assert.deepEqual(commitsAlong(it, found.path), { firstCommit: 2n, lastCommit: 8n });
  assert.equal(reach(all, [{ timeline: 1, start: T(25), end: undefined }]), undefined);
  const short = reach(all, [{ timeline: 1, start: T(5), end: T(25) }]);
  assert.deepEqual([short?.end, short?.resumes], [T(20), undefined]);
});

test('commits before a position, or after it in the same piece, are not taken for what lies between', () => {
  const it = held(piece(1, 0, 10, [1, 5]), piece(1, 10, 20, [6, 7]), piece(1, 20, 30, [8, 9]));
  assert.deepEqual(commitsBetween(it, 1, T(5), T(25)), { firstCommit: 5n, lastCommit: 7n });
  assert.deepEqual(commitsBetween(it, 2, T(5), T(25)), { firstCommit: undefined, lastCommit: undefined });
});
