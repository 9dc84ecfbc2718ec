import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { atOnce } from './at-once.ts';

test('every item is worked on once, in order, and never more than so many at the same time', async () => {
  const begun: number[] = [];
  let running = 0;
  let most = 0;
  await atOnce(3, Array(20).keys(), async (item) => {
    begun.push(item);
    most = Math.max(most, ++running);
    await setImmediate();
    running--;
  });
  assert.deepEqual(begun, [...Array(20).keys()]);
  assert.equal(most, 3);
});

test('after the first error nothing more is begun, and it is thrown when what was under way has ended', async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const working = atOnce(2, Array(9).keys(), async (item) => {
    begun.push(item);
    await setImmediate();
    if (item === 0) throw new Error('the first');
    await setImmediate();
    ended.push(item);
    throw new Error('a later one');
  });
  await assert.rejects(working, { message: 'the first' });
  assert.deepEqual(begun, [0, 1]);
  assert.deepEqual(ended, [1]);
});

test('an error of the items themselves is thrown, too', async () => {
  const items = (function* () {
    yield 1;
    throw new Error('no more');
  })();
  await assert.rejects(
    atOnce(2, items, async () => {}),
    { message: 'no more' },
  );
});

test('once the signal has fired no item is begun', async () => {
  const stop = new AbortController();
  const begun: number[] = [];
  const work = async (item: number) => {
    begun.push(item);
    stop.abort();
  };
  const working = atOnce(1, Array(9).keys(), work, stop.signal);
  await assert.rejects(working, { name: 'AbortError' });
  assert.deepEqual(begun, [0]);
});
