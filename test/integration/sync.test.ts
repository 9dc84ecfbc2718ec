/** Syncing: whatever a storage lost or had spoiled comes back from the others, and nothing else is brought back. */
import assert from 'node:assert/strict';
import { readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { check } from '../../src/operations/check.ts';
import { prune } from '../../src/operations/prune.ts';
import { sync } from '../../src/operations/sync.ts';
import { readDamage } from '../../src/repository/meta-damage.ts';
import { readPins, setPin } from '../../src/repository/meta-pins.ts';
import { recordRemovals } from '../../src/repository/meta-removals.ts';
import { listSnapshots } from '../../src/repository/snapshots.ts';
import { init, localStores, open, openSession, PASSWORD, randomFiles, writePoint } from '../support/care.ts';
import { need } from '../support/needs.ts';
import { Restic } from '../support/restic.ts';
import { anyOf, flipBit, packFiles, swap, wipe } from '../support/spoil.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

const restic = await need('restic');

async function repositoryWithPoint(dir: TempDir, count = 2) {
  const stores = localStores(dir, count);
  await init(stores);
  const point = await writePoint(await open(stores), randomFiles(5, 200_000));
  return { stores, point };
}

async function holders(stores: ReturnType<typeof localStores>): Promise<Map<string, number>> {
  const { snapshots } = await listSnapshots(await open(stores));
  return new Map(snapshots.map(({ id, mask }) => [id, mask]));
}

async function assertSound(dir: TempDir, stores: ReturnType<typeof localStores>, judged = true): Promise<void> {
  const report = await check(await openSession(stores), { readData: true });
  assert.deepEqual(report.findings, []);
  assert.equal(report.failures.size, 0);
  if (restic.skip || !judged) return;
  for (const { name } of stores) await new Restic(dir.join(name), PASSWORD).check();
}

test('level storages need nothing', async () => {
  await using dir = await tempDir();
  const { stores } = await repositoryWithPoint(dir);
  const report = await sync(await openSession(stores));
  assert.deepEqual(report.remaining, []);
  for (const storage of report.storages.values())
    assert.deepEqual(
      { ...storage, rebuilt: false },
      { rebuilt: false, packsCopied: 0, blobsMoved: 0, bytes: 0, pointsCopied: 0, flatReplaced: 0 },
    );
});

test('a storage that was wiped is rebuilt, byte for byte', async () => {
  await using dir = await tempDir();
  const { stores, point } = await repositoryWithPoint(dir);
  const before = await readFile((await packFiles(dir.join('b')))[0]!);
  await wipe(dir.join('b'));
  const report = await sync(await openSession(stores));
  assert.equal(report.storages.get('b')?.rebuilt, true);
  assert.equal((await holders(stores)).get(point), 3);
  assert.deepEqual(await readFile((await packFiles(dir.join('b')))[0]!), before);
  await assertSound(dir, stores);
});

test('a storage whose directory is gone is rebuilt', async () => {
  await using dir = await tempDir();
  const { stores, point } = await repositoryWithPoint(dir);
  await rm(dir.join('a'), { recursive: true });
  await sync(await openSession(localStores(dir, 2)));
  assert.equal((await holders(stores)).get(point), 3);
  await assertSound(dir, stores);
});

test('a storage that was away gets the points it missed, with the same index files', async () => {
  await using dir = await tempDir();
  const { stores } = await repositoryWithPoint(dir, 3);
  const point = await writePoint(await open([stores[0]!, stores[2]!]), randomFiles(3, 100_000, 'more'));
  const report = await sync(await openSession(stores));
  assert.equal(report.storages.get('b')?.pointsCopied, 1);
  assert.equal((await holders(stores)).get(point), 7);
  const session = await openSession(stores);
  assert.ok([...(await session.repository.presence('index')).values()].every((mask) => mask === 7));
  await assertSound(dir, stores);
});

describe('what listing shows is healed without reading everything', () => {
  const harms: Record<string, (a: string) => Promise<void>> = {
    'a missing pack': async (a) => rm((await packFiles(a))[0]!),
    'a pack cut short': async (a) => truncate((await packFiles(a))[0]!, 100),
    'swapped packs': async (a) => {
      const files = await packFiles(a);
      await swap(files[0]!, files.at(-1)!);
    },
    'all packs missing': async (a) => rm(join(a, 'data'), { recursive: true }),
    'a missing index': async (a) => rm(join(a, 'index'), { recursive: true }),
    'a missing point': async (a) => rm(join(a, 'snapshots'), { recursive: true }),
    'a missing config': async (a) => rm(join(a, 'config')),
    'a missing key': async (a) => rm(join(a, 'keys'), { recursive: true }),
    'an index cut short': async (a) => truncate(await anyOf(a, 'index'), 40),
    'an empty point': async (a) => truncate(await anyOf(a, 'snapshots'), 0),
    'a damaged config': async (a) => flipBit(join(a, 'config')),
  };
  for (const [name, harm] of Object.entries(harms))
    test(name, async () => {
      await using dir = await tempDir();
      const { stores } = await repositoryWithPoint(dir);
      await harm(dir.join('a'));
      const report = await sync(await openSession(stores));
      assert.deepEqual(report.remaining, []);
      assert.equal(report.failures.size, 0);
      await assertSound(dir, stores, false);
    });
});

describe('what only hashing shows', () => {
  const harms: Record<string, (a: string) => Promise<void>> = {
    'a flipped bit in a pack': async (a) => flipBit((await packFiles(a))[0]!),
    'a flipped bit in a tree pack': async (a) => flipBit((await packFiles(a)).at(-1)!),
    'a flipped bit in an index': async (a) => flipBit(await anyOf(a, 'index')),
    'a flipped bit in a point': async (a) => flipBit(await anyOf(a, 'snapshots')),
    'a flipped bit in a key file': async (a) => flipBit(await anyOf(a, 'keys'), 20),
  };
  for (const [name, harm] of Object.entries(harms)) {
    test(`${name} is healed after a check has found it`, async () => {
      await using dir = await tempDir();
      const { stores } = await repositoryWithPoint(dir);
      await harm(dir.join('b'));
      assert.notEqual((await check(await openSession(stores))).findings.length, 0);
      await sync(await openSession(stores));
      assert.deepEqual(await readDamage(await open(stores)), []);
      await assertSound(dir, stores, false);
    });
    test(`${name} is healed by sync with reading`, async () => {
      await using dir = await tempDir();
      const { stores } = await repositoryWithPoint(dir);
      await harm(dir.join('b'));
      await sync(await openSession(stores), { readData: true, storage: 'b' });
      await assertSound(dir, stores, false);
    });
  }
});

test('damage on different storages is healed crosswise', async () => {
  await using dir = await tempDir();
  const { stores } = await repositoryWithPoint(dir);
  await flipBit((await packFiles(dir.join('a')))[0]!);
  await flipBit((await packFiles(dir.join('b')))[1]!);
  await rm(await anyOf(dir.join('b'), 'snapshots'));
  await sync(await openSession(stores), { readData: true });
  await assertSound(dir, stores);
});

test('what has no good copy anywhere is reported, left in place, and comes back once a copy does', async () => {
  await using dir = await tempDir();
  const { stores, point } = await repositoryWithPoint(dir, 1);
  const [file] = await packFiles(dir.join('a'));
  await flipBit(file!, 100);
  const report = await sync(await openSession(stores), { readData: true });
  assert.ok(report.remaining.some(({ key }) => file!.endsWith(key)));
  assert.ok(report.remaining.some(({ points }) => points.includes(point)));
  assert.equal((await packFiles(dir.join('a'))).includes(file!), true);
  await flipBit(file!, 100);
  assert.deepEqual((await sync(await openSession(stores))).remaining, []);
  assert.deepEqual(await readDamage(await open(stores)), []);
});

test('the index of a single storage is rebuilt from the packs', async () => {
  await using dir = await tempDir();
  const { stores } = await repositoryWithPoint(dir, 1);
  await rm(dir.join('a', 'index'), { recursive: true });
  assert.deepEqual((await sync(await openSession(stores))).remaining, []);
  await assertSound(dir, stores);
});

test('a point that was removed from a storage on purpose is not brought back, unless it is pinned', async () => {
  await using dir = await tempDir();
  const { stores, point } = await repositoryWithPoint(dir);
  const session = await openSession(stores);
  const removal = {
    point,
    storage: 'b',
    app: 'clinic',
    pointTime: '2026-01-01T00:00:00Z',
    by: 'prune',
    why: 'daily 7',
  };
  await recordRemovals(session.repository, [{ ...removal, by: 'prune' }]);
  await rm(await anyOf(dir.join('b'), 'snapshots'));
  await sync(session);
  assert.equal((await holders(stores)).get(point), 1);
  await setPin(session.repository, point, true);
  await sync(await openSession(stores));
  assert.equal((await holders(stores)).get(point), 3);
});

test('the books come to a rebuilt storage as well', async () => {
  await using dir = await tempDir();
  const { stores, point } = await repositoryWithPoint(dir);
  await setPin(await open(stores), point, true);
  await wipe(dir.join('b'));
  await sync(await openSession(stores));
  assert.deepEqual([...(await readPins(await open([stores[1]!])))], [point]);
});

test('storages whose packs differ exchange single blobs', { skip: restic.skip }, async () => {
  await using dir = await tempDir();
  const { stores } = await repositoryWithPoint(dir);
  const b = new Restic(dir.join('b'), PASSWORD);
  const shared = randomFiles(40, 30_000, 'shared');
  const point = await writePoint(await open([stores[0]!]), { ...shared, ...randomFiles(1, 1000) });
  const keep = Object.fromEntries(Object.entries(shared).slice(0, 8));
  await writePoint(await open([stores[0]!]), keep);
  await rm(dir.join('a', 'snapshots', point));
  const report = await sync(await openSession(stores));
  assert.ok((report.storages.get('b')?.blobsMoved ?? 0) >= 8);
  assert.equal(report.storages.get('b')?.pointsCopied, 1);
  await b.check();
  await assertSound(dir, stores);
});

test('a damaged pack without a good copy goes once everything needed of it was brought from elsewhere', async () => {
  await using dir = await tempDir();
  const stores = localStores(dir);
  await init(stores.slice(0, 2));
  const files = randomFiles(40, 30_000, 'shared');
  const first = await writePoint(await open(stores.slice(0, 2)), files, { time: Date.now() - 1000 });
  await writePoint(await open(stores.slice(0, 2)), Object.fromEntries(Object.entries(files).slice(0, 8)));
  await rm(dir.join('a', 'snapshots', first));
  await rm(dir.join('b', 'snapshots', first));
  await prune(await openSession([stores[1]!]), { apps: [] });
  for (const file of (await packFiles(dir.join('a'))).slice(0, 2)) await flipBit(file, 100_000);
  for (const file of (await packFiles(dir.join('a'))).slice(0, 2)) await flipBit(file, 500);
  const before = await packFiles(dir.join('a'));
  const report = await sync(await openSession(stores.slice(0, 2)), { readData: true });
  assert.deepEqual(report.remaining, []);
  assert.ok((await packFiles(dir.join('a'))).length <= before.length);
  assert.deepEqual(await readDamage(await open(stores.slice(0, 2))), []);
  await assertSound(dir, stores.slice(0, 2));
});
