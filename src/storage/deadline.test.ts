import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFailure } from '../base/failure.ts';
import { manualClock } from '../base/testing/manual-clock.ts';
import { underDeadline, withDeadline } from './deadline.ts';
import { objectStoreContract } from './testing/contract.ts';
import { faultStore } from './testing/fault-store.ts';
import { memoryStore } from './testing/memory-store.ts';

objectStoreContract('deadline around memory', async () => ({ store: withDeadline(memoryStore()), manyObjects: 20 }));

const isUnreachable = (error: unknown) => isFailure(error, 'storage_unreachable');

function setUp() {
  const clock = manualClock();
  const faults = faultStore(memoryStore());
  const store = withDeadline(faults, { clock, patience: { base: 1000, slowest: 1000 } });
  return { clock, faults, store };
}

/** Tells how a promise ended, without waiting for it. */
function watch(promise: Promise<unknown>) {
  const state = { outcome: 'pending' as 'pending' | 'done' | 'failed', error: undefined as unknown };
  promise.then(
    () => {
      state.outcome = 'done';
    },
    (error: unknown) => {
      state.outcome = 'failed';
      state.error = error;
    },
  );
  return state;
}

test('a call that hangs fails when its time is over, as unreachable', async () => {
  const { clock, faults, store } = setUp();
  faults.inject({ fault: { kind: 'hang' } });
  const call = watch(store.stat('config'));
  await clock.advance(999);
  assert.equal(call.outcome, 'pending');
  await clock.advance(1);
  assert.ok(isUnreachable(call.error));
});

test('looking for the mount of a disk that hangs fails, too; a store without one has none', async () => {
  const { clock, store } = setUp();
  assert.equal(store.mountPoint, undefined);
  const onDisk = { ...memoryStore(), mountPoint: () => new Promise<undefined>(() => {}) };
  const call = watch(withDeadline(onDisk, { clock, patience: { base: 1000, slowest: 1000 } }).mountPoint!());
  await clock.advance(999);
  assert.equal(call.outcome, 'pending');
  await clock.advance(1);
  assert.ok(isUnreachable(call.error));
});

test('a put has more time the more it carries', async () => {
  const { clock, faults, store } = setUp();
  faults.inject({ fault: { kind: 'hang' } });
  const call = watch(store.put('data/aa/x', new Uint8Array(5000)));
  await clock.advance(5999);
  assert.equal(call.outcome, 'pending');
  await clock.advance(1);
  assert.ok(isUnreachable(call.error));
});

test('a listing whose page hangs fails', async () => {
  const { clock, faults, store } = setUp();
  await store.put('config', new Uint8Array(1));
  faults.inject({ on: 'list', fault: { kind: 'hang' } });
  const pages = store.list('')[Symbol.asyncIterator]();
  const call = watch(pages.next());
  await clock.advance(1000);
  assert.ok(isUnreachable(call.error));
});

test('work that ignores its signal is abandoned all the same', async () => {
  const clock = manualClock();
  const request = { storage: 'nas', clock, ms: 500, signal: undefined };
  const call = watch(underDeadline(request, () => new Promise(() => {})));
  await clock.advance(500);
  assert.ok(isUnreachable(call.error));
});

test('restarting a deadline counts from then on', async () => {
  const clock = manualClock();
  const request = { storage: 'nas', clock, ms: 500, signal: undefined };
  const call = watch(
    underDeadline(request, async (deadline) => {
      await clock.sleep(400);
      deadline.restart(2000);
      await clock.sleep(1900);
    }),
  );
  await clock.advance(2300);
  assert.equal(call.outcome, 'done');
  assert.deepEqual(clock.sleeping, []);
});

test('the caller giving up is not a slow storage', async () => {
  const { faults, store } = setUp();
  faults.inject({ fault: { kind: 'hang' } });
  const controller = new AbortController();
  const call = store.get('config', undefined, { signal: controller.signal });
  controller.abort('mine');
  await assert.rejects(call, (reason) => reason === 'mine');
});
