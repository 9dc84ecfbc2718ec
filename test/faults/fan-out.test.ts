/** One point to several storages of which one is slow, silent or untrue: the others are complete without waiting for it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { check } from '../../src/operations/check.ts';
import { listPoints } from '../../src/operations/list-points.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { type FaultStore, faultStore } from '../../src/storage/testing/fault-store.ts';
import { objectsOf } from '../integration/fixtures/backup-app.ts';
import { filesSource, openSessionOf, runBackUp } from '../integration/fixtures/backup-run.ts';
import { init, localStores, PASSWORD } from '../support/care.ts';
import { need } from '../support/needs.ts';
import { Restic } from '../support/restic.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

const restic = await need('restic');
const MIB = 1024 * 1024;

/** Three storages on disk, each breakable, and a source of `size` bytes that do not shrink. */
async function setUp(dir: TempDir, size = 6 * MIB) {
  const stores = localStores(dir, 3).map((store) => faultStore(store)) as [FaultStore, FaultStore, FaultStore];
  await init(stores);
  await mkdir(dir.join('media'));
  await writeFile(dir.join('media', 'file'), randomBytes(size));
  const sources = [filesSource(dir.join('media'))];
  return { stores, sources };
}

/** A clock whose time can be made to pass faster. */
function hurryingTime(): { readonly clock: Clock; passes(rate: number): void } {
  let [rate, since, at] = [1, systemClock.monotonic(), 0];
  const monotonic = () => at + (systemClock.monotonic() - since) * rate;
  return {
    clock: { ...systemClock, monotonic, sleep: (ms, signal) => systemClock.sleep(ms / rate, signal) },
    passes: (next) => {
      [at, since, rate] = [monotonic(), systemClock.monotonic(), next];
    },
  };
}

/** All three are whole, as we see it; and as restic does, the one that something was done to. */
async function assertWhole(dir: TempDir, broken: 'a' | 'b' | 'c'): Promise<void> {
  const session = await openSessionOf({ stores: localStores(dir, 3) });
  assert.deepEqual((await check(session, { readData: true })).findings, []);
  if (restic.skip === false) await new Restic(dir.join(broken), PASSWORD).check();
}

test('the point is visible on the others while one storage is still silent', async () => {
  await using dir = await tempDir();
  const { stores, sources } = await setUp(dir);
  const rule = stores[1].inject({ on: 'put', key: /^data\//, fault: { kind: 'hang' } });
  const interrupt = new AbortController();
  const answered: string[] = []; // what is seen in a storage, its answer may still be on the way
  const heard = stores.map(
    (store): ObjectStore => ({
      ...store,
      put: async (key, parts, options) => {
        await store.put(key, parts, options);
        if (key.startsWith('snapshots/')) answered.push(store.name);
      },
    }),
  );
  const running = runBackUp({ stores: heard, sources, signal: interrupt.signal });
  running.catch(() => {});
  while (answered.length < 2) await sleep(20);
  const visible = (name: string) => objectsOf(dir.join(name, 'snapshots'));
  assert.deepEqual([(await visible('a')).length, (await visible('c')).length, await visible('b')], [1, 1, []]);
  assert.ok(rule.hits > 0);
  interrupt.abort();
  await assert.rejects(running, { code: 'interrupted', message: /was made and is whole on a, c/ });
  await assertWhole(dir, 'b');
});

test('a slow storage with more to take than fits its backlog is put off, holds up nobody, and is brought level at the end', async () => {
  await using dir = await tempDir();
  const { stores, sources } = await setUp(dir, 90 * MIB);
  const gate = Promise.withResolvers<void>();
  const slow: FaultStore = {
    ...stores[2],
    put: async (key, parts, options) => {
      if (key.startsWith('data/')) {
        time.passes(50);
        await gate.promise;
        time.passes(1);
      }
      await stores[2].put(key, parts, options);
    },
  };
  const time = hurryingTime();
  const { clock } = time;
  const running = runBackUp({ stores: [stores[0], stores[1], slow], sources, clock });
  running.catch(() => {}); // looked at below
  while ((await objectsOf(dir.join('a', 'snapshots'))).length === 0) await sleep(20);
  assert.ok((await objectsOf(dir.join('a', 'data'))).length > 40, 'the others have all packs');
  assert.deepEqual(await objectsOf(dir.join('c', 'data')), []);
  gate.resolve();
  const outcome = await running;
  assert.deepEqual(outcome.storages, { a: 'complete', b: 'complete', c: 'complete' });
  await assertWhole(dir, 'c');
});

test('a storage that fails half way is named with its own error; the copies asked for decide the outcome', async () => {
  for (const [requiredCopies, partial] of [
    [2, false],
    [3, true],
  ] as const) {
    await using dir = await tempDir();
    const { stores, sources } = await setUp(dir);
    stores[0].inject({ on: 'put', key: /^data\//, skip: 2, fault: { kind: 'fail', code: 'storage_refused' } });
    const outcome = await runBackUp({ stores, sources, input: { requiredCopies } });
    assert.equal(outcome.copies, 2);
    assert.equal(outcome.partial, partial);
    assert.match(outcome.storages.a!, /^a: broken on purpose/);
    assert.deepEqual([outcome.storages.b, outcome.storages.c], ['complete', 'complete']);
    await assertWhole(dir, 'a');
  }
});

for (const kind of ['index', 'snapshots', 'locks'] as const) {
  test(`a storage that takes no ${kind} is left out, and the others are complete`, async () => {
    await using dir = await tempDir();
    const { stores, sources } = await setUp(dir);
    stores[1].inject({ on: 'put', key: new RegExp(`^${kind}/`), fault: { kind: 'full', bytes: 0 } });
    const outcome = await runBackUp({ stores, sources });
    assert.match(outcome.storages.b!, /^b: full on purpose/);
    assert.deepEqual([outcome.storages.a, outcome.storages.c], ['complete', 'complete']);
    assert.deepEqual(await objectsOf(dir.join('b', 'snapshots')), []);
    assert.deepEqual(await objectsOf(dir.join('a', 'locks')), []);
    await assertWhole(dir, 'b');
  });
}

test('a storage that cannot be listed is left out, and the others are complete', async () => {
  await using dir = await tempDir();
  const { stores, sources } = await setUp(dir);
  stores[2].inject({ on: 'list', key: /^snapshots/, fault: { kind: 'fail', code: 'storage_refused' } });
  const outcome = await runBackUp({ stores, sources });
  assert.match(outcome.storages.c!, /^c: broken on purpose/);
  assert.equal(outcome.copies, 2);
  await assertWhole(dir, 'c');
});

test('lost replies change nothing: what was stored counts once, and the point is whole', async () => {
  await using dir = await tempDir();
  const { stores, sources } = await setUp(dir);
  stores[0].inject({ on: 'put', key: /^snapshots\//, fault: { kind: 'loseReply' } });
  const outcome = await runBackUp({ stores, sources });
  assert.match(outcome.storages.a!, /reply was lost/);
  assert.equal((await objectsOf(dir.join('a', 'snapshots'))).length, 1, 'it is there although nobody heard so');
  await assertWhole(dir, 'a');
});

test('a stale listing that hides the newest point makes the storage behind, never damaged', async () => {
  await using dir = await tempDir();
  const { stores, sources } = await setUp(dir);
  await runBackUp({ stores, sources });
  stores[1].inject({ on: 'list', fault: { kind: 'staleList', puts: 50 } });
  await writeFile(dir.join('media', 'more'), randomBytes(MIB));
  const outcome = await runBackUp({ stores, sources });
  assert.deepEqual(outcome.storages, { a: 'complete', b: 'behind', c: 'complete' });
  await assertWhole(dir, 'b');
});

test('a lock that is taken away during the run costs that storage the point, not the others', async () => {
  await using dir = await tempDir();
  const { stores, sources } = await setUp(dir);
  const outcome = await runBackUp({
    stores,
    sources,
    progress: (event) => {
      if (event.type === 'step' && event.step === 'store') rmSync(dir.join('b', 'locks'), { recursive: true });
    },
  });
  assert.match(outcome.storages.b!, /^b: the lock of this run was removed by somebody else/);
  assert.deepEqual(await objectsOf(dir.join('b', 'snapshots')), []);
  assert.deepEqual([outcome.storages.a, outcome.storages.c], ['complete', 'complete']);
  await assertWhole(dir, 'b');
});

test('damage in the earlier point costs reading, not the backup', async () => {
  await using dir = await tempDir();
  const { stores, sources } = await setUp(dir, MIB);
  await runBackUp({ stores, sources });
  for (const store of stores) store.inject({ on: 'get', key: /^data\//, fault: { kind: 'flipBit', offset: 40 } });
  const outcome = await runBackUp({ stores, sources });
  assert.equal(outcome.sources.media?.files_new, 1);
  assert.equal(outcome.copies, 3);
  await assertWhole(dir, 'a');
});

test('points stay in order although the clock jumps back and forth, during runs and between them', async () => {
  await using dir = await tempDir();
  const { stores, sources } = await setUp(dir, MIB);
  let shift = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + shift };
  const made: string[] = [];
  for (const jump of [0, -3_600_000, 7_200_000, -600_000]) {
    const outcome = await runBackUp({
      stores,
      sources,
      clock,
      progress: (event) => {
        if (event.type === 'step' && event.step === 'media') shift += jump;
      },
    });
    assert.equal(outcome.copies, 3);
    made.push(outcome.point);
  }
  const { points } = await listPoints(await openSessionOf({ stores }), { app: 'clinic', sources: [] });
  assert.deepEqual(
    points.map(({ id }) => id),
    made,
  );
  for (const name of ['a', 'b', 'c']) assert.deepEqual(await readdir(dir.join(name, 'locks')).catch(() => []), []);
  await assertWhole(dir, 'a');
});
