import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure, isFailure } from '../base/failure.ts';
import { type GuaranteeName, probeStore } from './probe.ts';
import { faultStore } from './testing/fault-store.ts';
import { type MemoryStore, memoryStore } from './testing/memory-store.ts';

/** Probes a memory store after `spoil` has broken it; returns what is missing. */
async function missingAfter(spoil: (store: MemoryStore) => void): Promise<GuaranteeName[]> {
  const store = memoryStore();
  spoil(store);
  const { guarantees } = await probeStore(store);
  return guarantees.filter(({ held }) => !held).map(({ name }) => name);
}

test('a storage that keeps every promise is usable, and nothing of the probe stays', async () => {
  const store = memoryStore();
  const found = await probeStore(store);
  assert.equal(found.usable, true);
  assert.equal(found.conditionalCreate, true);
  assert.ok(found.guarantees.every(({ held, missing }) => held && missing === ''));
  assert.deepEqual([...store.objects.keys()], []);
});

test('creation that two writers win is found out, and is no obstacle', async () => {
  const store = memoryStore();
  const put = store.put;
  store.put = (key, parts, options) => put(key, parts, { ...options, ifAbsent: false });
  const found = await probeStore(store);
  assert.equal(found.conditionalCreate, false);
  assert.equal(found.usable, true);
  const told = found.guarantees.find(({ name }) => name === 'conditionalCreate');
  assert.match(told?.missing ?? '', /init from one machine/);
});

test('stale listings are found out and make the storage unusable', async () => {
  const faults = faultStore(memoryStore());
  faults.inject({ fault: { kind: 'staleList', puts: 1 } });
  const found = await probeStore(faults);
  assert.equal(found.usable, false);
  assert.equal(found.guarantees.find(({ name }) => name === 'listAfterWrite')?.held, false);
});

test('reading an old version after replacing it is found out', async () => {
  const missing = await missingAfter((store) => {
    const first = new Map<string, Uint8Array>();
    const { put, get } = store;
    store.put = async (key, parts, options) => {
      await put(key, parts, options);
      if (!first.has(key)) first.set(key, await get(key));
    };
    store.get = async (key, range, options) => (range ? get(key, range, options) : (first.get(key) ?? get(key)));
  });
  assert.deepEqual(missing, ['readAfterOverwrite']);
});

test('a cached "not there" is found out', async () => {
  const missing = await missingAfter((store) => {
    const absent = new Set<string>();
    const { stat, get } = store;
    store.stat = async (key, options) => {
      const info = await stat(key, options);
      if (!info) absent.add(key);
      return info;
    };
    store.get = async (key, range, options) => {
      if (absent.has(key)) throw new Failure('object_missing', 'cached');
      return get(key, range, options);
    };
  });
  assert.deepEqual(missing, ['readAfterWrite']);
});

test('objects that survive their removal are found out', async () => {
  const missing = await missingAfter((store) => {
    store.delete = async () => {};
  });
  assert.deepEqual(missing, ['goneAfterDelete']);
});

test('range requests that bring something else are found out', async () => {
  const missing = await missingAfter((store) => {
    const { get } = store;
    store.get = async (key, range, options) => {
      if (range) throw new Failure('storage_misbehaves', 'the whole object came');
      return get(key, range, options);
    };
  });
  assert.deepEqual(missing, ['rangeReads']);
});

test('object lock that is configured but not there is found out', async () => {
  const found = await probeStore(memoryStore(), { objectLock: true });
  assert.equal(found.usable, false);
  assert.equal(found.guarantees.find(({ name }) => name === 'objectLock')?.held, false);
});

test('a storage that cannot be reached is not judged', async () => {
  const faults = faultStore(memoryStore());
  faults.inject({ fault: { kind: 'fail' } });
  await assert.rejects(probeStore(faults), (error: unknown) => isFailure(error, 'storage_unreachable'));
});
