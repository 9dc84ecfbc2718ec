/** Pruning: what nobody needs is freed, what somebody needs stays, and restic agrees. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import type { Id } from '../../src/base/ids.ts';
import { check } from '../../src/operations/check.ts';
import { type AppRetention, prune, pruneHistory } from '../../src/operations/prune.ts';
import { sync } from '../../src/operations/sync.ts';
import { setPin } from '../../src/repository/meta-pins.ts';
import { recordProofs } from '../../src/repository/meta-proofs.ts';
import { listSnapshots } from '../../src/repository/snapshots.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { faultStore } from '../../src/storage/testing/fault-store.ts';
import {
  type Files,
  init,
  localStores,
  open,
  openSession,
  PASSWORD,
  randomFiles,
  writePoint,
} from '../support/care.ts';
import { need } from '../support/needs.ts';
import { Restic } from '../support/restic.ts';
import { flipBit, packFiles } from '../support/spoil.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

const restic = await need('restic');
const DAY = 24 * 3600_000;

function rules(
  retention: AppRetention['retention'],
  byStorage: AppRetention['byStorage'] = {},
): { apps: AppRetention[] } {
  return { apps: [{ app: 'clinic', byStorage, ...(retention === undefined ? {} : { retention }) }] };
}

/** A point for each of the last days, oldest first; each shares half of its files with the next. */
async function dailyPoints(stores: readonly ObjectStore[], days: number, size = 50_000): Promise<Id[]> {
  await init(stores);
  const ids: Id[] = [];
  let carried: Files = {};
  // the noons before today's: each on a day of its own, wherever days begin and however long they are
  const noon = Math.floor(Date.now() / DAY) * DAY - DAY / 2;
  for (let day = days - 1; day >= 0; day--) {
    const fresh = randomFiles(4, size, `day${day}`);
    const time = noon - day * DAY;
    ids.push(await writePoint(await open(stores), { ...carried, ...fresh }, { time }));
    carried = Object.fromEntries(Object.entries(fresh).slice(0, 2));
  }
  return ids;
}

async function pointsOn(store: ObjectStore): Promise<Id[]> {
  return (await listSnapshots(await open([store]))).snapshots.map(({ id }) => id);
}

async function assertSound(dir: TempDir, stores: readonly ObjectStore[]): Promise<void> {
  const report = await check(await openSession(stores), { readData: true });
  assert.deepEqual(report.findings, []);
  for (const { name } of restic.skip ? [] : stores) await new Restic(dir.join(name), PASSWORD).check();
}

test('points that no rule keeps go, their space is freed, the rest stays whole', async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 2);
  const ids = await dailyPoints(stores, 6);
  const before = (await packFiles(dir.join('a'))).length;
  const outcome = await prune(await openSession(stores), rules({ daily: 2 }));
  assert.equal(outcome.failures.size, 0);
  for (const store of stores) assert.deepEqual(await pointsOn(store), ids.slice(4));
  assert.ok((await packFiles(dir.join('a'))).length < before);
  await assertSound(dir, stores);
});

test('a dry run says the same and changes nothing', async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 1);
  const ids = await dailyPoints(stores, 4);
  const planned = await prune(await openSession(stores), { ...rules({ last: 1 }), dryRun: true });
  assert.deepEqual(await pointsOn(stores[0]!), ids);
  const done = await prune(await openSession(stores), rules({ last: 1 }));
  assert.deepEqual(planned.decisions, done.decisions);
  const figures = ({ storages }: typeof done) => {
    const { keep, remove, repack, removedBytes, repackedBytes } = storages.get('a')!.plan;
    return { keep, remove: remove.length, repack: repack.length, removedBytes, repackedBytes };
  };
  assert.deepEqual(figures(planned), figures(done));
  assert.deepEqual(
    planned.storages
      .get('a')
      ?.forgotten.map(({ point }) => point)
      .sort(),
    ids.slice(0, 3).sort(),
  );
});

test('a second prune finds nothing to do', async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 1);
  await dailyPoints(stores, 4);
  await prune(await openSession(stores), rules({ last: 2 }));
  const { plan, forgotten } = (await prune(await openSession(stores), rules({ last: 2 }))).storages.get('a')!;
  assert.deepEqual([forgotten.length, plan.remove.length, plan.repack.length, plan.unindexed.length], [0, 0, 0, 0]);
});

test('each storage follows its own rules, and sync does not bring back what they removed', async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 2);
  const ids = await dailyPoints(stores, 5);
  await prune(await openSession(stores), rules({ last: 4 }, { b: { last: 1 } }));
  assert.deepEqual(await pointsOn(stores[0]!), ids.slice(1));
  assert.deepEqual(await pointsOn(stores[1]!), ids.slice(4));
  await assertSound(dir, stores);
  await sync(await openSession(stores));
  assert.deepEqual(await pointsOn(stores[1]!), ids.slice(4));
  await setPin(await open(stores), ids[1]!, true);
  await sync(await openSession(stores));
  assert.deepEqual(await pointsOn(stores[1]!), [ids[1], ids[4]]);
  await assertSound(dir, stores);
});

test('packs needed in part are repacked, the same new packs on storages that are alike', async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 2);
  await init(stores);
  const files = randomFiles(30, 40_000);
  await writePoint(await open(stores), files, { time: Date.now() - DAY });
  const some = Object.fromEntries(Object.entries(files).filter((_, i) => i % 3 === 0));
  await writePoint(await open(stores), some);
  const outcome = await prune(await openSession(stores), rules({ last: 1 }));
  assert.ok(outcome.storages.get('a')!.plan.repack.length > 0);
  const names = async (name: string) => (await packFiles(dir.join(name))).map((file) => file.slice(-64)).sort();
  assert.deepEqual(await names('a'), await names('b'));
  const session = await openSession(stores);
  assert.ok([...(await session.repository.presence('index')).values()].every((mask) => mask === 3));
  await assertSound(dir, stores);
});

test('points of other apps and snapshots of other programs are untouched', { skip: restic.skip }, async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 1);
  await dailyPoints(stores, 3);
  const other = await writePoint(await open(stores), randomFiles(2, 5000), {
    app: 'shop',
    time: Date.now() - 99 * DAY,
  });
  const foreign = await new Restic(dir.join('a'), PASSWORD).backup([dir.join('a', 'config')]);
  await prune(await openSession(stores), rules({ last: 1 }));
  const left = await pointsOn(stores[0]!);
  assert.equal(left.length, 3);
  assert.ok(left.includes(other) && left.some((id) => id.startsWith(foreign)));
  await assertSound(dir, stores);
});

test('the pinned point, the last good one and the best proven one stay', async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 1);
  const ids = await dailyPoints(stores, 5);
  const repository = await open(stores);
  await setPin(repository, ids[0]!, true);
  await recordProofs(repository, [{ level: 'restored', points: [ids[1]!] }]);
  await prune(await openSession(stores), rules({ last: 1 }));
  assert.deepEqual(await pointsOn(stores[0]!), [ids[0], ids[1], ids[4]]);
});

test('what was removed is on record: which, where, when, by which rule', async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 2);
  const ids = await dailyPoints(stores, 2);
  await prune(await openSession(stores), rules({ daily: 1 }));
  const history = await pruneHistory(await openSession(stores));
  assert.deepEqual(
    history
      .map(({ point, storage, by, why, app }) => ({ point, storage, by, why, app }))
      .sort((x, y) => (x.storage < y.storage ? -1 : 1)),
    ['a', 'b'].map((storage) => ({ point: ids[0], storage, by: 'prune', why: 'daily 1', app: 'clinic' })),
  );
});

test('a storage on which something needed is missing is left alone, the others are pruned', async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 2);
  const ids = await dailyPoints(stores, 3);
  await rm((await packFiles(dir.join('a')))[0]!);
  for (const file of (await packFiles(dir.join('a'))).slice(0, 5)) await rm(file);
  const before = (await packFiles(dir.join('a'))).length;
  const outcome = await prune(await openSession(stores), rules({ last: 1 }));
  assert.equal(outcome.failures.get('a')?.code, 'data_damaged');
  assert.deepEqual(await pointsOn(stores[0]!), ids);
  assert.equal((await packFiles(dir.join('a'))).length, before);
  assert.deepEqual(await pointsOn(stores[1]!), ids.slice(2));
});

test('a damaged index keeps prune from taking its packs for unneeded', async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 1);
  await dailyPoints(stores, 3);
  const before = (await packFiles(dir.join('a'))).length;
  const session = await openSession(stores);
  const [index] = (await session.repository.presence('index')).keys();
  await flipBit(dir.join('a', 'index', index!));
  const outcome = await prune(await openSession(stores), rules({ last: 1 }));
  assert.equal(outcome.failures.get('a')?.code, 'data_damaged');
  assert.equal((await packFiles(dir.join('a'))).length, before);
});

test('a damaged blob in a pack to be repacked comes from another storage', async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 2);
  await init(stores);
  const files = randomFiles(30, 40_000);
  await writePoint(await open(stores), files, { time: Date.now() - DAY });
  await writePoint(await open(stores), Object.fromEntries(Object.entries(files).slice(0, 12)));
  for (const file of (await packFiles(dir.join('a'))).slice(0, 2)) await flipBit(file, 20_000);
  const outcome = await prune(await openSession(stores), rules({ last: 1 }));
  assert.equal(outcome.failures.size, 0);
  await sync(await openSession(stores), { readData: true });
  await assertSound(dir, stores);
});

test('what the storage refuses to remove stays, is counted, and leaves the repository whole', async () => {
  await using dir = await tempDir();
  const [store] = localStores(dir, 1);
  await dailyPoints([store!], 4);
  for (const key of [/^data/, /^index/, /^snapshots/]) {
    const locked = faultStore(store!);
    locked.inject({ on: 'delete', key, fault: { kind: 'fail', code: 'storage_refused' } });
    const outcome = await prune(await openSession([locked]), rules({ last: key.source === '^snapshots' ? 1 : 3 }));
    assert.equal(outcome.failures.size, 0);
    await assertSound(dir, [store!]);
  }
  const outcome = await prune(await openSession([store!]), rules({ last: 1 }));
  assert.equal(outcome.storages.get('a')?.refused, 0);
  assert.equal((await pointsOn(store!)).length, 1);
  await assertSound(dir, [store!]);
});

test('a locked storage is said so when it is the only one, and left out when it is not', async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 2);
  const ids = await dailyPoints(stores, 2);
  await using lock = await (await open([stores[0]!])).lock(false);
  void lock;
  await assert.rejects(prune(await openSession([stores[0]!]), rules({ last: 1 })), { code: 'locked' });
  const outcome = await prune(await openSession(stores), rules({ last: 1 }));
  assert.equal(outcome.failures.get('a')?.code, 'locked');
  assert.deepEqual(await pointsOn(stores[0]!), ids);
  assert.deepEqual(await pointsOn(stores[1]!), ids.slice(1));
});
