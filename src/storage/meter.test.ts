import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../base/testing/manual-clock.ts';
import { withMeter } from './meter.ts';
import { objectStoreContract } from './testing/contract.ts';
import { faultStore } from './testing/fault-store.ts';
import { memoryStore } from './testing/memory-store.ts';

objectStoreContract('meter around memory', async () => ({ store: withMeter(memoryStore()), manyObjects: 20 }));

test('requests, bytes, failures and time are counted by operation', async () => {
  const clock = manualClock();
  const faults = faultStore(memoryStore(), clock);
  const store = withMeter(faults, clock);
  await store.put('index/1', [new Uint8Array(300), new Uint8Array(200)]);
  faults.inject({ on: 'get', times: 1, fault: { kind: 'delay', ms: 70 } });
  const slow = store.get('index/1', { offset: 0, length: 100 });
  await clock.advance(70);
  await slow;
  await store.get('index/1');
  await assert.rejects(store.get('index/none'));
  for await (const _page of store.list('')) assert.ok(true);

  const { put, get, list, delete: removed } = store.meter();
  assert.deepEqual(put, { requests: 1, failures: 0, bytes: 500, totalMs: 0, longestMs: 0 });
  assert.deepEqual(get, { requests: 3, failures: 1, bytes: 600, totalMs: 70, longestMs: 70 });
  assert.equal(list.requests, 2);
  assert.equal(removed.requests, 0);
});

test('a snapshot does not change afterwards', async () => {
  const store = withMeter(memoryStore());
  const before = store.meter();
  await store.put('config', new Uint8Array(1));
  assert.equal(before.put.requests, 0);
  assert.equal(store.meter().put.requests, 1);
});
