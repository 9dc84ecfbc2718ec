/** What would be lost, from times and positions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lossOf } from './loss.ts';

const NOW = 1_000_000;
/** Seconds ago, as microseconds since the epoch. */
const ago = (seconds: number) => BigInt((NOW - seconds * 1000) * 1000);

function loss(commits: readonly [number, number] | undefined, received?: number, behind = 100n) {
  const [first, last] = commits ?? [];
  return lossOf({
    now: NOW,
    server: { position: 1000n + behind },
    received: received === undefined ? undefined : ago(received),
    archived: {
      ...{ end: 1000n, base: ago(500) },
      newest: {
        firstCommit: first === undefined ? undefined : ago(first),
        lastCommit: last === undefined ? undefined : ago(last),
      },
    },
  }).seconds;
}

test('the time since the newest archived commit, or since the base, unless everything or every commit is archived', () => {
  assert.equal(loss([90, 20]), 20);
  assert.equal(loss(undefined), 500);
  assert.equal(loss([90, 20], 20), 0);
  assert.equal(loss([90, 20], 5), 20);
  assert.equal(loss([90, 20], undefined, 0n), 0);
  assert.equal(lossOf({ now: NOW, server: undefined, received: undefined, archived: undefined }).seconds, null);
});

test('a server whose clock is or was ahead hides no loss', () => {
  assert.equal(loss([90, -3600]), 90, 'the newest piece has an earlier commit');
  assert.equal(loss([-3000, -3600]), 500, 'nothing but the base can be believed');
  assert.equal(loss([90, -3600], -3600), 90, 'a stream has received a commit of the future: more may have come since');
  assert.equal(loss([90, 20], -3600), 20);
  assert.equal(loss([90, -1]), 0, 'a second ahead is no wrong clock');
});
