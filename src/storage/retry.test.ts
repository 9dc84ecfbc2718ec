import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFailure } from '../base/failure.ts';
import { hurryingClock } from '../base/testing/manual-clock.ts';
import { type RetryEvent, withRetry } from './retry.ts';
import { objectStoreContract } from './testing/contract.ts';
import { faultStore } from './testing/fault-store.ts';
import { memoryStore } from './testing/memory-store.ts';

objectStoreContract('retry around memory', async () => ({ store: withRetry(memoryStore()) }));

objectStoreContract('retry around a storage that loses every other reply', async () => {
  const faults = faultStore(memoryStore());
  for (let call = 1; call < 400; call += 2) faults.inject({ skip: call, times: 1, fault: { kind: 'loseReply' } });
  return { store: withRetry(faults, { clock: hurryingClock() }), manyObjects: 20 };
});

function setUp(attempts = 4) {
  const memory = memoryStore('r2');
  const faults = faultStore(memory);
  const clock = hurryingClock();
  const events: RetryEvent[] = [];
  const options = { clock, attempts, firstPause: 100, longestPause: 300, random: () => 0.5 };
  const store = withRetry(faults, { ...options, onRetry: (event) => events.push(event) });
  return { memory, faults, clock, events, store };
}

test('a storage that is unreachable for a moment is asked again after growing pauses', async () => {
  const { memory, faults, clock, events, store } = setUp();
  faults.inject({ times: 3, fault: { kind: 'fail' } });
  await store.put('config', Buffer.from('x'));
  assert.equal(memory.objects.size, 1);
  assert.deepEqual(clock.slept, [50, 100, 150]);
  assert.deepEqual(
    events.map(({ storage, attempt, pause }) => ({ storage, attempt, pause })),
    [
      { storage: 'r2', attempt: 1, pause: 50 },
      { storage: 'r2', attempt: 2, pause: 100 },
      { storage: 'r2', attempt: 3, pause: 150 },
    ],
  );
});

test('the tries end, and the error says how many there were', async () => {
  const { faults, store } = setUp();
  const rule = faults.inject({ fault: { kind: 'fail' } });
  await assert.rejects(store.get('config'), (error: unknown) => {
    assert.ok(isFailure(error, 'storage_unreachable'));
    assert.match(error.message, /tried 4 times/);
    return true;
  });
  assert.equal(rule.hits, 4);
});

for (const code of ['storage_refused', 'storage_full', 'object_missing', 'data_damaged'] as const) {
  test(`${code} is not tried again`, async () => {
    const { faults, store } = setUp();
    const rule = faults.inject({ fault: { kind: 'fail', code } });
    await assert.rejects(store.stat('config'), (error: unknown) => isFailure(error, code));
    assert.equal(rule.hits, 1);
  });
}

test('creating is a success when the lost reply was our own success', async () => {
  const { memory, faults, store } = setUp();
  const rule = faults.inject({ on: 'put', times: 1, fault: { kind: 'loseReply' } });
  await store.put('config', [Buffer.from('mi'), Buffer.from('ne')], { ifAbsent: true });
  assert.equal(rule.hits, 1);
  assert.equal(Buffer.from(memory.objects.get('config') ?? []).toString(), 'mine');
});

test('creating is refused when somebody else was faster while we waited', async () => {
  const { memory, faults, store } = setUp();
  faults.inject({ on: 'put', times: 1, fault: { kind: 'fail' } });
  memory.objects.set('config', Buffer.from('theirs'));
  await assert.rejects(store.put('config', Buffer.from('mine'), { ifAbsent: true }), (error: unknown) =>
    isFailure(error, 'object_exists'),
  );
});

test('a listing that breaks off goes on without leaving out or repeating a key', async () => {
  const { memory, store } = setUp();
  for (let index = 0; index < 2500; index++) memory.objects.set(`index/${index}`, new Uint8Array(1));
  const list = memory.list.bind(memory);
  let breaks = 3;
  memory.list = async function* (prefix, options) {
    let pages = 0;
    for await (const page of list(prefix, options)) {
      yield page;
      if (++pages === 2 && breaks-- > 0) await brokenConnection();
    }
  };
  const keys: string[] = [];
  for await (const page of store.list('index/')) keys.push(...page.map(({ key }) => key));
  assert.equal(keys.length, 2500);
  assert.equal(new Set(keys).size, 2500);
});

test('a listing that always breaks off at the same place fails in the end', async () => {
  const { memory, store } = setUp();
  memory.objects.set('index/1', new Uint8Array(1));
  const list = memory.list.bind(memory);
  memory.list = async function* (prefix, options) {
    yield* list(prefix, options);
    await brokenConnection();
  };
  const seen: string[] = [];
  await assert.rejects(
    async () => {
      for await (const page of store.list('')) seen.push(...page.map(({ key }) => key));
    },
    (error: unknown) => isFailure(error, 'storage_unreachable'),
  );
  assert.deepEqual(seen, ['index/1']);
});

test('a pause ends when the caller gives up', async () => {
  const faults = faultStore(memoryStore());
  faults.inject({ fault: { kind: 'fail' } });
  const controller = new AbortController();
  const store = withRetry(faults, {
    random: () => 1,
    firstPause: 3_600_000,
    onRetry: () => controller.abort('enough'),
  });
  await assert.rejects(store.stat('config', { signal: controller.signal }), (reason) => reason === 'enough');
});

/** Rejects as a lost connection does. */
async function brokenConnection(): Promise<void> {
  const broken = faultStore(memoryStore());
  broken.inject({ fault: { kind: 'fail' } });
  await broken.stat('x');
}
