import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { manualClock } from '../base/testing/manual-clock.ts';
import { withLimit } from './limit.ts';
import { objectStoreContract } from './testing/contract.ts';
import { faultStore } from './testing/fault-store.ts';
import { memoryStore } from './testing/memory-store.ts';

objectStoreContract('limit around memory', async () => ({
  store: withLimit(memoryStore(), { connections: 2, uploadLimit: 1e12, downloadLimit: 1e12 }),
  manyObjects: 20,
}));

test('no more requests are under way than there are connections, and waiting ones go in turn', async () => {
  const memory = memoryStore();
  const running = new Map<string, () => void>();
  let most = 0;
  memory.stat = (key) =>
    new Promise((resolve) => {
      running.set(key, () => resolve(undefined));
      most = Math.max(most, running.size);
    });
  const store = withLimit(memory, { connections: 3 });
  const all = Array.from({ length: 10 }, (_, index) => store.stat(`k${index}`));
  const order: string[] = [];
  while (order.length < 10) {
    await setImmediate();
    const [first] = running;
    assert.ok(first);
    order.push(first[0]);
    running.delete(first[0]);
    first[1]();
  }
  await Promise.all(all);
  assert.equal(most, 3);
  assert.deepEqual(order, [...order].sort());
});

test('a request that fails gives its place to the next', async () => {
  const faults = faultStore(memoryStore());
  faults.inject({ times: 2, fault: { kind: 'fail' } });
  const store = withLimit(faults, { connections: 1 });
  const outcomes = await Promise.allSettled([store.stat('a'), store.stat('b'), store.stat('c')]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected', 'fulfilled'],
  );
});

test('who gives up while waiting for a place takes none', async () => {
  const faults = faultStore(memoryStore());
  faults.inject({ key: 'slow', fault: { kind: 'hang' } });
  const store = withLimit(faults, { connections: 1 });
  const slow = new AbortController();
  const impatient = new AbortController();
  const first = store.stat('slow', { signal: slow.signal });
  const second = store.stat('second', { signal: impatient.signal });
  const third = store.stat('third');
  impatient.abort('gone');
  await assert.rejects(second, (reason) => reason === 'gone');
  slow.abort('stop');
  await assert.rejects(first, (reason) => reason === 'stop');
  assert.equal(await third, undefined);
});

test('uploads keep to the rate on average, downloads are not held up by them', async () => {
  const clock = manualClock();
  const memory = memoryStore();
  const store = withLimit(memory, { uploadLimit: 1000, clock });
  await store.put('index/1', new Uint8Array(2000));
  const second = store.put('index/2', new Uint8Array(500));
  await clock.advance(1999);
  assert.equal(memory.objects.has('index/2'), false);
  assert.equal((await store.get('index/1')).byteLength, 2000);
  await clock.advance(1);
  await second;
  assert.equal(memory.objects.has('index/2'), true);
});

test('downloads keep to the rate on average, several waiting ones do not go together', async () => {
  const clock = manualClock();
  const memory = memoryStore();
  memory.objects.set('index/1', new Uint8Array(1000));
  const store = withLimit(memory, { downloadLimit: 1000, clock });
  await store.get('index/1');
  let done = 0;
  const rest = [1, 2, 3].map(() => store.get('index/1').then(() => done++));
  await clock.advance(999);
  assert.equal(done, 0);
  await clock.advance(10_000);
  await Promise.all(rest);
  assert.equal(done, 3);
});
