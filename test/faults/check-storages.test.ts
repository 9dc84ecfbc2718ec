/** Storages that fail while they are checked, synced, pruned: named with their own error, nobody else stopped, nothing lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { check } from '../../src/operations/check.ts';
import { forget } from '../../src/operations/forget.ts';
import { prune, pruneHistory } from '../../src/operations/prune.ts';
import { sync } from '../../src/operations/sync.ts';
import { setPin } from '../../src/repository/meta-pins.ts';
import { openRepository } from '../../src/repository/repository.ts';
import { listSnapshots } from '../../src/repository/snapshots.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { faultStore } from '../../src/storage/testing/fault-store.ts';
import { type MemoryStore, memoryStore } from '../../src/storage/testing/memory-store.ts';
import { holder, init, open, openSession, PASSWORD, randomFiles, writePoint } from '../support/care.ts';
import { judgeMemory } from '../support/judge.ts';

async function threeStorages() {
  const stores = ['a', 'b', 'c'].map((name) => memoryStore(name));
  await init(stores);
  const first = await writePoint(await open(stores), randomFiles(4, 50_000), { time: Date.now() - 1000 });
  const second = await writePoint(await open(stores), randomFiles(4, 50_000, 'more'));
  return { stores, first, second };
}

async function pointsOn(store: ObjectStore): Promise<string[]> {
  return (await listSnapshots(await open([store]))).snapshots.map(({ id }) => id);
}

/** By our own check, and by restic the storage in the middle: it is the one that something was done to. */
async function assertWhole(stores: readonly MemoryStore[]): Promise<void> {
  assert.deepEqual((await check(await openSession(stores), { readData: true })).findings, []);
  await judgeMemory(stores[stores.length >> 1]!);
}

const LAST = { apps: [{ app: 'clinic', byStorage: {}, retention: { last: 1 } }] };

test('a storage that dies while it is checked is named, the others are checked', async () => {
  const { stores } = await threeStorages();
  const dying = faultStore(stores[1]!);
  const session = await openSession([stores[0]!, dying, stores[2]!]);
  dying.inject({ on: 'get', key: /^(data|config)/, fault: { kind: 'fail' } });
  const { findings, failures, storages } = await check(session);
  assert.deepEqual(findings, []);
  assert.deepEqual([...failures.keys()], ['b']);
  assert.deepEqual([...storages.keys()].sort(), ['a', 'c']);
});

test('a storage that is silent while it is locked holds up neither a check nor a sync, and is named', async () => {
  const { stores } = await threeStorages();
  const silent = faultStore(stores[1]!);
  silent.inject({ on: 'put', key: /^locks\//, fault: { kind: 'hang' } });
  const clock: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 10, signal) };
  const repository = await openRepository([stores[0]!, silent, stores[2]!], PASSWORD, { clock, holder });
  const session = { ...(await openSession(stores)), repository };
  const named = /^b: no answer 10 s after another storage had answered/;
  const checked = await check(session, { storage: 'a' });
  assert.deepEqual([...checked.storages.keys()], ['a']);
  assert.deepEqual([...checked.failures.keys()], []);
  const { failures } = await check(session);
  assert.match(failures.get('b')!.message, named);
  const synced = await sync(session, {});
  assert.match(String(synced.failures.get('b')?.message), named);
  await assertWhole(stores);
});

test('a single object that cannot be read is damage, not a dead storage', async () => {
  const { stores } = await threeStorages();
  const bad = faultStore(stores[1]!);
  const session = await openSession([stores[0]!, bad, stores[2]!]);
  const [pack] = [...stores[1]!.objects.keys()].filter((key) => key.startsWith('data/'));
  bad.inject({ on: 'get', key: pack!, fault: { kind: 'fail' } });
  const { findings, failures } = await check(session);
  assert.equal(failures.size, 0);
  assert.ok(findings.some(({ key, what, storage }) => key === pack && what === 'unreadable' && storage === 'b'));
});

test('what arrives cut short or changed is found, and healing does not spread it', async () => {
  const { stores } = await threeStorages();
  const lying = faultStore(stores[0]!);
  lying.inject({ on: 'get', key: /^data/, fault: { kind: 'flipBit' } });
  stores[1]!.objects.clear();
  const report = await sync(await openSession([lying, stores[1]!, stores[2]!]));
  assert.equal(report.storages.get('b')?.rebuilt, true);
  await assertWhole(stores);
});

test('a storage without room is named by sync, the others are brought level', async () => {
  const { stores } = await threeStorages();
  for (const store of stores.slice(1))
    for (const key of [...store.objects.keys()]) if (!/^(keys|config)/.test(key)) store.objects.delete(key);
  const full = faultStore(stores[1]!);
  full.inject({ on: 'put', key: /^data/, fault: { kind: 'full', bytes: 100_000 } });
  const report = await sync(await openSession([stores[0]!, full, stores[2]!]));
  assert.equal(report.failures.get('b')?.code, 'storage_full');
  assert.equal(report.storages.get('c')?.pointsCopied, 2);
  assert.deepEqual(await pointsOn(stores[1]!), []);
  await sync(await openSession(stores));
  assert.equal((await pointsOn(stores[1]!)).length, 2);
  await assertWhole(stores);
});

test('a storage that dies while it is pruned keeps what it shows, the others are pruned', async () => {
  const { stores, second } = await threeStorages();
  const dying = faultStore(stores[1]!);
  const session = await openSession([stores[0]!, dying, stores[2]!]);
  dying.inject({ on: 'delete', key: /^index/, fault: { kind: 'fail' } });
  const outcome = await prune(session, LAST);
  assert.deepEqual([...outcome.failures.keys()], ['b']);
  assert.deepEqual(await pointsOn(stores[0]!), [second]);
  await assertWhole(stores);
  assert.equal((await prune(await openSession(stores), LAST)).failures.size, 0);
});

test('a lost reply is not a lost object', async () => {
  const { stores } = await threeStorages();
  stores[1]!.objects.clear();
  const deaf = faultStore(stores[1]!);
  deaf.inject({ on: 'put', key: /^(index|snapshots)/, times: 1, fault: { kind: 'loseReply' } });
  await sync(await openSession([stores[0]!, deaf, stores[2]!]));
  assert.deepEqual(
    (await check(await openSession(stores))).findings.filter(({ storage }) => storage !== 'b'),
    [],
  );
  await sync(await openSession(stores));
  await assertWhole(stores);
});

test('a lock that somebody took away stops a prune before it removes packs', async () => {
  const { stores } = await threeStorages();
  const store = stores[0]!;
  const packs = () => [...store.objects.keys()].filter((key) => key.startsWith('data/')).length;
  const before = packs();
  const robbed: ObjectStore = {
    ...store,
    async delete(key, options) {
      await store.delete(key, options);
      if (key.startsWith('snapshots/')) for (const lock of locksOf(store)) store.objects.delete(lock);
    },
  };
  const outcome = await prune(await openSession([robbed]), LAST);
  assert.equal(outcome.failures.get('a')?.code, 'lock_lost');
  assert.equal(packs(), before);
  await assertWhole([store]);
});

function locksOf({ objects }: MemoryStore): string[] {
  return [...objects.keys()].filter((key) => key.startsWith('locks/'));
}

test('a point is forgotten everywhere, later on the storage that was away, and not brought back', async () => {
  const { stores, first, second } = await threeStorages();
  const away = faultStore(stores[1]!);
  away.inject({ fault: { kind: 'fail' } });
  const session = await openSession([stores[0]!, away, stores[2]!]);
  const outcome = await forget(session, { app: 'clinic', point: first.slice(0, 10) });
  assert.deepEqual([outcome.storages, [...outcome.failures.keys()]], [['a', 'c'], ['b']]);
  await sync(await openSession(stores));
  assert.deepEqual(await pointsOn(stores[0]!), [second]);
  assert.deepEqual(await pointsOn(stores[1]!), [first, second]);
  await prune(await openSession(stores), { apps: [{ app: 'clinic', byStorage: {} }] });
  assert.deepEqual(await pointsOn(stores[1]!), [second]);
  const history = await pruneHistory(await openSession(stores));
  assert.ok(history.every(({ point }) => point === first));
});

test('a pinned point and the last good one are not forgotten', async () => {
  const { stores, first, second } = await threeStorages();
  await setPin(await open(stores), second, true);
  const session = await openSession(stores);
  await assert.rejects(forget(session, { app: 'clinic', point: second }), { code: 'point_pinned' });
  await setPin(await open(stores), second, false);
  await forget(session, { app: 'clinic', point: first });
  await assert.rejects(forget(session, { app: 'clinic', point: 'latest' }), { code: 'last_good_point' });
  for (const store of stores) assert.deepEqual(await pointsOn(store), [second]);
});

test('a point is forgotten on one storage only, unless it is the last good one there', async () => {
  const { stores, first, second } = await threeStorages();
  const session = await openSession(stores);
  await forget(session, { app: 'clinic', point: first, storage: 'b' });
  assert.deepEqual(await pointsOn(stores[0]!), [first, second]);
  assert.deepEqual(await pointsOn(stores[1]!), [second]);
  const last = forget(session, { app: 'clinic', point: second, storage: 'b' });
  await assert.rejects(last, { code: 'last_good_point' });
});
