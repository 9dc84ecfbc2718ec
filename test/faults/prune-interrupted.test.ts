/** Pruning, ended at every moment there is: what a storage shows is whole, and the next prune completes the work. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from '../../src/operations/check.ts';
import { prune } from '../../src/operations/prune.ts';
import { listSnapshots } from '../../src/repository/snapshots.ts';
import { type MemoryStore, memoryStore } from '../../src/storage/testing/memory-store.ts';
import { init, open, openSession, randomFiles, writePoint } from '../support/care.ts';
import { atEveryMoment, copies, DEAD, dyingStores } from '../support/dying.ts';
import { judgeMemory } from '../support/judge.ts';
import { need } from '../support/needs.ts';

const restic = await need('restic');
const KEEP_ONE = { apps: [{ app: 'clinic', byStorage: {}, retention: { last: 1 } }] };

/** Points that share packs, so that a prune has to remove, repack and rewrite. */
async function sharedRepository(count: number): Promise<MemoryStore[]> {
  const stores = ['a', 'b'].slice(0, count).map((name) => memoryStore(name));
  await init(stores);
  const files = randomFiles(24, 20_000);
  const time = Date.now();
  await writePoint(await open(stores), randomFiles(3, 20_000, 'old'), { time: time - 3000, packSize: 200_000 });
  await writePoint(await open(stores), files, { time: time - 2000, packSize: 200_000 });
  await writePoint(await open(stores), Object.fromEntries(Object.entries(files).filter((_, i) => i % 3 === 0)), {
    time,
  });
  return stores;
}

async function pointsOn(store: MemoryStore): Promise<string[]> {
  return (await listSnapshots(await open([store]))).snapshots.map(({ id }) => id);
}

for (const count of [1, 2])
  test(`on ${count} storages`, async () => {
    const stores = await sharedRepository(count);
    const before = await pointsOn(stores[0]!);
    let judged = 0;
    const moments = await atEveryMoment(
      async (changes, lastHappens) => {
        const own = copies(stores);
        const dying = dyingStores(own, changes, lastHappens);
        await prune(await openSession(dying.stores, DEAD), KEEP_ONE).catch(() => {});
        const { findings } = await check(await openSession(own), { readData: true });
        assert.deepEqual(findings, [], `after ${changes} changes`);
        for (const store of own) assert.ok((await pointsOn(store)).includes(before.at(-1)!));
        if (count === 1 && changes % 8 === 3) judged += await judgeMemory(own[0]!);
        const again = await prune(await openSession(own), KEEP_ONE);
        assert.equal(again.failures.size, 0);
        for (const store of own) assert.deepEqual(await pointsOn(store), before.slice(-1));
        assert.deepEqual((await check(await openSession(own))).findings, []);
        return dying.died();
      },
      count * 2 - 1,
    );
    assert.ok(moments >= 10, `${moments} moments`);
    if (restic.skip === false && count === 1) assert.ok(judged > 0);
  });
