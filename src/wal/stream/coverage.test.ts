import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Coverage } from './coverage.ts';

const run = (start: bigint, end: bigint, lastCommit?: bigint) => ({ start, end, lastCommit });

test('what arrives out of order counts once nothing is missing before it', () => {
  const coverage = new Coverage(100n);
  coverage.add(run(120n, 130n, 5n));
  assert.deepEqual([coverage.end, coverage.lastCommit], [100n, undefined]);
  coverage.add(run(140n, 150n, 9n));
  coverage.add(run(100n, 120n, 7n));
  assert.deepEqual([coverage.end, coverage.lastCommit], [130n, 7n]);
  assert.ok(coverage.holds(141n, 150n) && !coverage.holds(130n, 141n));
  coverage.add(run(110n, 140n));
  assert.deepEqual([coverage.end, coverage.lastCommit], [150n, 9n]);
});

test('a slice within what is held changes nothing', () => {
  const coverage = new Coverage(0n);
  coverage.add(run(0n, 50n, 3n));
  coverage.add(run(10n, 20n, 2n));
  assert.deepEqual([coverage.end, coverage.lastCommit], [50n, 3n]);
});
