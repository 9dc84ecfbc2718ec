/** What would be lost, from times and positions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lossOf, type ReceivedLog } from './loss.ts';

const NOW = 1_000_000;
/** Seconds ago, as microseconds since the epoch. */
const ago = (seconds: number) => BigInt((NOW - seconds * 1000) * 1000);
/** The archive ends at position 1000, the server is at 1100 and has told the stream all of it. */
const stream = (commitsEnd: bigint | undefined, more: Partial<ReceivedLog> = {}): ReceivedLog => {
  return { received: 1100n, level: undefined, commitsEnd, ...more };
};

/** `commits`: of the newest piece, in seconds ago. */
function loss(commits: readonly [number, number] | undefined, received?: ReceivedLog, position: bigint | null = 1100n) {
  const [first, last] = commits ?? [];
  return lossOf({
    now: NOW,
    server: position === null ? undefined : { position },
    stream: received,
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
  assert.equal(loss([90, 20], stream(1000n)), 0);
  assert.equal(loss([90, 20], stream(1001n)), 20);
  assert.equal(loss([90, 20], undefined, 1000n), 0);
  assert.equal(lossOf({ now: NOW, server: undefined, stream: undefined, archived: undefined }).seconds, null);
});

test('a server whose clock is or was ahead hides no loss', () => {
  assert.equal(loss([90, -3600]), 90, 'the newest piece has an earlier commit');
  assert.equal(loss([-3000, -3600]), 500, 'nothing but the base can be believed');
  assert.equal(loss([90, -3600], stream(1050n)), 90, 'the commit of the future is archived, one after it is not');
  assert.equal(loss([90, -3600], stream(990n)), 0, 'where the commits are is known, whatever their times');
  assert.equal(loss([90, -1]), 0, 'a second ahead is no wrong clock');
});

test('a clock that was set back: a commit after the archived ones is missed although its time is earlier', () => {
  assert.equal(loss([90, 20], stream(1060n)), 20);
});

test('a stream that lags behind the server, or does not know where its commits end, does not say that every commit is archived', () => {
  assert.equal(loss([90, 20], stream(990n, { received: 1099n })), 20);
  assert.equal(loss([90, 20], stream(undefined)), 20);
});

test('commits came since the stream was last level with the server at the earliest', () => {
  const level = NOW - 3000;
  assert.equal(loss([90, 20], stream(990n, { received: 1099n, level })), 3);
  assert.equal(loss([90, 20], stream(990n, { level }), null), 3, 'the server does not answer');
  assert.equal(loss([90, 20], stream(1001n, { level })), 20, 'a commit that was received is not archived');
  assert.equal(loss([90, 2], stream(990n, { received: 1099n, level })), 2);
});
