/** Syncing, ended at every moment there is: no storage shows a point that is not whole, and the next sync completes the work. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from '../../src/operations/check.ts';
import { sync } from '../../src/operations/sync.ts';
import { listSnapshots } from '../../src/repository/snapshots.ts';
import { type MemoryStore, memoryStore } from '../../src/storage/testing/memory-store.ts';
import { init, open, openSession, randomFiles, writePoint } from '../support/care.ts';
import { atEveryMoment, copies, DEAD, dyingStores } from '../support/dying.ts';
import { judgeMemory } from '../support/judge.ts';

async function twoPoints(): Promise<MemoryStore[]> {
  const stores = [memoryStore('a'), memoryStore('b')];
  await init(stores);
  await writePoint(await open(stores), randomFiles(6, 60_000), { packSize: 100_000 });
  await writePoint(await open([stores[0]!]), randomFiles(4, 60_000, 'more'), { packSize: 100_000 });
  return stores;
}

async function pointsOn(store: MemoryStore): Promise<number> {
  return (await listSnapshots(await open([store]))).snapshots.length;
}

const harms: Record<string, (b: Map<string, Uint8Array>) => void> = {
  'a storage that was away': () => {},
  'a storage that was wiped': (b) => b.clear(),
  'a storage that lost packs and its index': (b) => {
    for (const key of [...b.keys()]) if (key.startsWith('index/')) b.delete(key);
    const [first] = [...b.keys()].filter((key) => key.startsWith('data/'));
    b.delete(first!);
  },
};

for (const [name, harm] of Object.entries(harms))
  test(name, async () => {
    const stores = await twoPoints();
    harm(stores[1]!.objects);
    const wasWhole = name === 'a storage that was away';
    const moments = await atEveryMoment(async (changes, lastHappens) => {
      const own = copies(stores);
      const dying = dyingStores(own, changes, lastHappens);
      await sync(await openSession(dying.stores, DEAD)).catch(() => {});
      const { findings } = await check(await openSession(own), { readData: true });
      const unexpected = findings.filter(({ storage, key }) => storage !== 'b' || (wasWhole && key !== ''));
      assert.deepEqual(unexpected, [], `after ${changes} changes`);
      const { remaining, failures } = await sync(await openSession(own));
      assert.deepEqual([remaining, failures.size], [[], 0]);
      assert.equal(await pointsOn(own[1]!), 2);
      assert.deepEqual((await check(await openSession(own), { readData: true })).findings, []);
      if (changes % 8 === 2) await judgeMemory(own[1]!);
      return dying.died();
    }, 2);
    assert.ok(moments >= 5, `${moments} moments`);
  });
