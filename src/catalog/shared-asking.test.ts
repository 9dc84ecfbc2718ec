import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedAsking } from './shared-asking.ts';

/** Askings that end when they are told to. */
function byHand() {
  const begun: PromiseWithResolvers<number>[] = [];
  const asking = new SharedAsking<number>(() => {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    begun.push({ promise, resolve, reject });
    return promise;
  });
  return { begun, ask: () => asking.ask() };
}

test('all who come while one is asking share the next asking, and none hears what was asked before they came', async () => {
  const { begun, ask } = byHand();
  const first = ask();
  const later = [ask(), ask(), ask()];
  assert.equal(begun.length, 1);
  begun[0]!.resolve(1);
  assert.equal(await first, 1);
  await new Promise(setImmediate);
  assert.equal(begun.length, 2);
  const afterwards = ask();
  begun[1]!.resolve(2);
  assert.deepEqual(await Promise.all(later), [2, 2, 2]);
  await new Promise(setImmediate);
  assert.equal(begun.length, 3);
  begun[2]!.resolve(3);
  assert.equal(await afterwards, 3);
  const alone = ask();
  assert.equal(begun.length, 4);
  begun[3]!.resolve(4);
  assert.equal(await alone, 4);
});

test('what fails fails for those who asked, and the next are asked for anew', async () => {
  const { begun, ask } = byHand();
  const first = ask();
  const second = ask();
  begun[0]!.reject(new Error('gone'));
  await assert.rejects(first, /gone/);
  await new Promise(setImmediate);
  begun[1]!.resolve(2);
  assert.equal(await second, 2);
});
