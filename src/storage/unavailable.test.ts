import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../base/failure.ts';
import { unavailableStore } from './unavailable.ts';

test('a storage that cannot be opened answers every call with the reason', async () => {
  const failure = new Failure('secret_unavailable', 'storages.r2.secretAccessKey: env R2_SECRET is not set.');
  const store = unavailableStore('r2', failure);
  const list = async () => {
    for await (const page of store.list('data/')) assert.fail(`listed ${page.length} objects`);
  };
  const calls = [
    store.put('a', Buffer.alloc(1)),
    store.get('a'),
    store.stat('a'),
    list(),
    store.delete('a'),
    store.retain('a', 1),
  ];
  for (const outcome of await Promise.allSettled(calls)) {
    assert.deepEqual(outcome, { status: 'rejected', reason: failure });
  }
  await store.close();
});
