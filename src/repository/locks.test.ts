/** Locks with time that moves only when a test says so. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type ManualClock, manualClock } from '../base/testing/manual-clock.ts';
import { type FaultStore, faultStore } from '../storage/testing/fault-store.ts';
import { type MemoryStore, memoryStore } from '../storage/testing/memory-store.ts';
import { Sealer } from './crypto/envelope.ts';
import { type Holder, Lock, type LockOptions } from './locks.ts';
import { type Replica, toReplicas } from './replicas.ts';

const MINUTE = 60_000;
const KEY = { encrypt: randomBytes(32), macK: randomBytes(16), macR: randomBytes(16) };

interface Place {
  readonly memory: MemoryStore;
  readonly store: FaultStore;
  readonly replica: Replica;
  readonly clock: ManualClock;
}

function place(): Place {
  const memory = memoryStore('m');
  const clock = manualClock();
  const store = faultStore(memory, clock);
  return { memory, store, replica: toReplicas([store])[0]!, clock };
}

function options(clock: ManualClock, holder: Partial<Holder> = {}, exclusive = false): LockOptions {
  const here = { hostname: 'here', username: 'u', pid: 100, system: 'boot 1', isAlive: () => true, ...holder };
  return { sealer: new Sealer(KEY), clock, holder: here, exclusive };
}

/** Waits for `work` while time goes by. */
async function passing<T>(clock: ManualClock, work: Promise<T>, step = 100): Promise<T> {
  let over = false;
  const done = work.finally(() => {
    over = true;
  });
  done.catch(() => {});
  while (!over) await clock.advance(step);
  return done;
}

const take = ({ replica, clock }: Place, holder?: Partial<Holder>, exclusive?: boolean) =>
  passing(clock, Lock.acquire(replica, options(clock, holder, exclusive)));

test('shared locks stand together; an exclusive one is refused beside them and names who holds them', async () => {
  const at = place();
  const first = await take(at);
  const second = await take(at, { pid: 200 });
  await assert.rejects(take(at, { pid: 300 }, true), { code: 'locked', message: /process \d+ on here since 2026/ });
  assert.equal(at.memory.objects.size, 2, 'the refused one left nothing');
  await first.release();
  await second.release();
  const exclusive = await take(at, { pid: 300 }, true);
  await assert.rejects(take(at, { pid: 400 }), { code: 'locked', message: /\(exclusive\)/ });
  await exclusive.release();
  assert.equal(at.memory.objects.size, 0);
});

test('of two that want it exclusively at the same time, both do not get it', async () => {
  const at = place();
  const both = [1, 2].map((pid) => Lock.acquire(at.replica, options(at.clock, { pid }, true)));
  const outcomes = await passing(at.clock, Promise.allSettled(both));
  const got = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  assert.ok(got.length <= 1);
  for (const lock of got) await lock.release();
});

test('a lock is renewed every five minutes, one object at a time, and lasts', async () => {
  const at = place();
  const lock = await take(at);
  const [before] = at.memory.objects.keys();
  for (let minute = 0; minute < 90; minute++) {
    await at.clock.advance(MINUTE);
    await setImmediate();
    assert.equal(at.memory.objects.size, 1);
  }
  assert.notEqual([...at.memory.objects.keys()][0], before);
  await assert.rejects(take(at, { hostname: 'elsewhere', system: 'boot 9' }, true), { code: 'locked' });
  await lock.assertHeld();
  await lock.release();
});

test('a lock that somebody removed is noticed at the next renewal and when asked', async () => {
  const at = place();
  const [renewed, asked] = [await take(at), await take(at, { pid: 200 })];
  at.memory.objects.clear();
  await assert.rejects(asked.assertHeld(), { code: 'lock_lost' });
  await at.clock.advance(6 * MINUTE);
  await setImmediate();
  assert.ok(renewed.lost.aborted);
  assert.match(String(renewed.lost.reason), /removed by somebody else/);
  assert.equal(at.memory.objects.size, 0, 'it is not put back behind the back of who removed it');
  await renewed.release();
  await asked.release();
});

test('a lock that cannot be renewed is lost before others may take it for stale, and not sooner', async () => {
  const at = place();
  const lock = await take(at);
  at.store.inject({ on: ['put', 'stat'], fault: { kind: 'fail' } });
  for (let minute = 0; minute < 20; minute++) await at.clock.advance(MINUTE);
  assert.equal(lock.lost.aborted, false);
  for (let minute = 0; minute < 5; minute++) await at.clock.advance(MINUTE);
  assert.ok(lock.lost.aborted);
  await lock.release();
});

test('a few failed renewals do not matter', async () => {
  const at = place();
  const lock = await take(at);
  at.store.inject({ on: 'put', times: 3, fault: { kind: 'loseReply' } });
  for (let minute = 0; minute < 60; minute++) await at.clock.advance(MINUTE);
  await setImmediate();
  assert.equal(lock.lost.aborted, false);
  assert.equal(at.memory.objects.size, 1, 'attempts whose reply was lost are removed');
  await lock.release();
});

test('the lock of a dead process of this machine is removed, that of a living one and of another boot is not', async () => {
  const at = place();
  await take(at, { pid: 666 }, true);
  await assert.rejects(take(at, { isAlive: () => true }), { code: 'locked' });
  await assert.rejects(take(at, { isAlive: () => false, system: 'boot 2' }), { code: 'locked' });
  const lock = await take(at, { isAlive: (pid) => pid !== 666 });
  assert.equal(at.memory.objects.size, 1);
  await lock.release();
});

test('a lock of a dead process that had our number is removed; one that this process holds is not', async () => {
  const at = place();
  const held = await take(at, {}, true);
  await assert.rejects(take(at), { code: 'locked' });
  const [[key, bytes]] = [...at.memory.objects] as [[string, Uint8Array]];
  await held.release();
  at.memory.objects.set(key, bytes);
  const lock = await take(at);
  await lock.release();
  assert.equal(at.memory.objects.size, 0);
});

test('a lock of another machine is stale after half an hour', async () => {
  const at = place();
  const elsewhere = { hostname: 'elsewhere', system: 'boot 7' };
  const lock = await take(at, elsewhere, true);
  at.store.inject({ on: 'put', fault: { kind: 'fail' } });
  for (let minute = 0; minute < 29; minute++) await at.clock.advance(MINUTE);
  at.store.recover();
  const frozen = new Map(at.memory.objects);
  await lock.release();
  for (const [key, bytes] of frozen) at.memory.objects.set(key, bytes);
  await assert.rejects(take(at), { code: 'locked' });
  await at.clock.advance(2 * MINUTE);
  await (await take(at)).release();
});

test('what is no readable lock blocks an exclusive one, an empty object does not', async () => {
  const at = place();
  at.memory.objects.set(`locks/${'a'.repeat(64)}`, new Uint8Array(0));
  await (await take(at, {}, true)).release();
  at.memory.objects.set(`locks/${'b'.repeat(64)}`, randomBytes(200));
  await assert.rejects(take(at, {}, true), { code: 'locked', message: /unreadable/ });
});

test('a storage that is silent does not hold up the end of a run', async () => {
  const at = place();
  const lock = await take(at);
  at.store.inject({ on: 'delete', fault: { kind: 'hang' } });
  await passing(at.clock, lock.release(), 1000);
});

test('an interruption while waiting leaves no lock', async () => {
  const at = place();
  const interrupt = new AbortController();
  const taking = Lock.acquire(at.replica, { ...options(at.clock), signal: interrupt.signal });
  taking.catch(() => {});
  await at.clock.advance(50);
  assert.equal(at.memory.objects.size, 1);
  interrupt.abort();
  await assert.rejects(passing(at.clock, taking));
  assert.equal(at.memory.objects.size, 0);
});
