import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFailure } from '../../base/failure.ts';
import { objectStoreContract } from './contract.ts';
import { faultStore } from './fault-store.ts';
import { memoryStore } from './memory-store.ts';

objectStoreContract('a storage without faults', async () => ({ store: faultStore(memoryStore()), manyObjects: 20 }));

function setUp() {
  const memory = memoryStore();
  return { memory, store: faultStore(memory) };
}

test('a failed put stores nothing, a lost reply stores all', async () => {
  const { memory, store } = setUp();
  store.inject({ key: 'a', fault: { kind: 'fail', code: 'storage_refused' } });
  store.inject({ key: 'b', fault: { kind: 'loseReply' } });
  await assert.rejects(store.put('a', new Uint8Array(1)), (error: unknown) => isFailure(error, 'storage_refused'));
  await assert.rejects(store.put('b', new Uint8Array(1)), (error: unknown) => isFailure(error, 'storage_unreachable'));
  assert.deepEqual([...memory.objects.keys()], ['b']);
});

test('a rule strikes as often as it says, after the calls it lets pass, and counts', async () => {
  const { store } = setUp();
  const rule = store.inject({ on: 'stat', key: /^x/, skip: 1, times: 2, fault: { kind: 'fail' } });
  const outcomes = [];
  for (const key of ['x1', 'y', 'x2', 'x3', 'x4']) {
    outcomes.push(
      await store.stat(key).then(
        () => 'ok',
        () => 'failed',
      ),
    );
  }
  assert.deepEqual(outcomes, ['ok', 'ok', 'failed', 'failed', 'ok']);
  assert.equal(rule.hits, 2);
});

test('reads come back short or wrong while the object is whole', async () => {
  const { memory, store } = setUp();
  const bytes = Buffer.from('0123456789');
  await store.put('a', bytes);
  const short = store.inject({ fault: { kind: 'truncate', keep: 4 } });
  assert.equal(Buffer.from(await store.get('a')).toString(), '0123');
  short.remove();
  store.inject({ fault: { kind: 'flipBit', offset: 0 } });
  assert.equal(Buffer.from(await store.get('a')).toString(), '1123456789');
  assert.ok(bytes.equals(memory.objects.get('a') ?? Buffer.alloc(0)));
});

test('a stale listing misses the newest objects only', async () => {
  const { store } = setUp();
  for (const key of ['a', 'b', 'c']) await store.put(key, new Uint8Array(1));
  store.inject({ times: 1, fault: { kind: 'staleList', puts: 2 } });
  const keys = async () => {
    const found: string[] = [];
    for await (const page of store.list('')) found.push(...page.map(({ key }) => key));
    return found;
  };
  assert.deepEqual(await keys(), ['a']);
  assert.deepEqual(await keys(), ['a', 'b', 'c']);
});

test('a full storage refuses what does not fit and takes what does', async () => {
  const { memory, store } = setUp();
  store.inject({ fault: { kind: 'full', bytes: 100 } });
  await store.put('a', new Uint8Array(60));
  await assert.rejects(store.put('b', new Uint8Array(60)), (error: unknown) => isFailure(error, 'storage_full'));
  await store.put('c', new Uint8Array(40));
  assert.deepEqual([...memory.objects.keys()], ['a', 'c']);
  store.recover();
  await store.put('b', new Uint8Array(60));
});

test('a storage that hangs answers when its caller gives up', async () => {
  const { store } = setUp();
  store.inject({ fault: { kind: 'hang' } });
  const controller = new AbortController();
  const call = store.get('a', undefined, { signal: controller.signal });
  controller.abort('enough');
  await assert.rejects(call, (reason) => reason === 'enough');
});
