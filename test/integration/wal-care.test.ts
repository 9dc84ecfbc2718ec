/** check, sync and prune of the WAL archive. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import { check } from '../../src/operations/check.ts';
import { type AppRetention, prune, walPruneHistory } from '../../src/operations/prune.ts';
import { sync } from '../../src/operations/sync.ts';
import { walFold } from '../../src/operations/wal-fold.ts';
import { updateMeta } from '../../src/repository/meta.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { WalArchive } from '../../src/wal/archive.ts';
import { spans } from '../../src/wal/coverage.ts';
import { readGaps, recordGap } from '../../src/wal/gaps.ts';
import { init, localStores, open, openSession, randomFiles, writePoint } from '../support/care.ts';
import { type TempDir, tempDir } from '../support/temp.ts';
import { CLUSTER, madeLog, SEGMENT } from '../support/wal.ts';

const DAY = 24 * 3600_000;

interface Placed {
  readonly segments: number;
  readonly timeline?: number;
  readonly days: number;
  readonly cluster?: string;
}

/** A point of some files that counts as a base backup: the book of bases says so. */
async function base(stores: readonly ObjectStore[], { segments, timeline = 1, days, cluster = CLUSTER }: Placed) {
  const repository = await open(stores);
  const time = Date.now() - days * DAY;
  const id = await writePoint(repository, randomFiles(1, 2000, `d${days}`), { time, sources: ['database'] });
  const at = (segment: number) =>
    `0/${Math.round(segment * SEGMENT)
      .toString(16)
      .toUpperCase()}`;
  const database = { source: 'database', cluster, timeline, start: at(segments), stop: at(segments + 0.2) };
  await updateMeta(repository, { kind: 'wal-bases', parse: (value) => value as never }, (entries, stamp) => {
    entries.set(id, { time: stamp(id), databases: [database] } as never);
  });
  return id;
}

async function covered(store: ObjectStore, cluster = CLUSTER): Promise<string[]> {
  const { pieces } = await new WalArchive(await open([store]), cluster).list();
  return spans({ pieces }).map(
    ({ timeline, start, end }) => `${timeline}: ${Number(start) / SEGMENT}-${Number(end) / SEGMENT}`,
  );
}

async function walKeys(store: ObjectStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of store.list('wal/')) keys.push(...page.map(({ key }) => key));
  return keys.sort();
}

const last = (count: number, byStorage: AppRetention['byStorage'] = {}) => ({
  apps: [{ app: 'clinic', retention: { last: count }, byStorage }],
});

async function world(dir: TempDir, count = 2) {
  const stores = localStores(dir, count);
  await init(stores);
  return { stores, log: madeLog(await open(stores), 12) };
}

test('WAL is kept from the start of the oldest kept base backup on, on each storage by its own rules', async () => {
  await using dir = await tempDir();
  const { stores, log } = await world(dir);
  await log.put(0, 12);
  for (const [segments, days] of [
    [2, 9],
    [5, 5],
    [9, 1],
  ] as const)
    await base(stores, { segments, days });
  const planned = await prune(await openSession(stores), { ...last(2, { b: { last: 1 } }), dryRun: true });
  assert.deepEqual([await covered(stores[0]!), await covered(stores[1]!)], [['1: 0-12'], ['1: 0-12']]);
  const done = await prune(await openSession(stores), last(2, { b: { last: 1 } }));
  assert.deepEqual(planned.wal, done.wal);
  assert.deepEqual([done.wal.get('a')?.pieces, done.wal.get('b')?.pieces], [5, 9]);
  assert.deepEqual([await covered(stores[0]!), await covered(stores[1]!)], [['1: 5-12'], ['1: 9-12']]);
  const history = await walPruneHistory(await openSession(stores));
  assert.deepEqual(history.map(({ storage, upTo, pieces }) => [storage, upTo, pieces]).sort(), [
    ['a', '0/500000', 5],
    ['b', '0/900000', 9],
  ]);
  await sync(await openSession(stores));
  assert.deepEqual(await covered(stores[1]!), ['1: 9-12'], 'sync does not bring back what retention removed');
});

test('after pg_upgrade the old cluster goes with its last base backup, whatever its name sorts like', async () => {
  await using dir = await tempDir();
  const { stores, log } = await world(dir, 1);
  const old = madeLog(await open(stores), 4, '9999999999999999999');
  await old.put(0, 4);
  await log.put(0, 4);
  await base(stores, { segments: 1, days: 9, cluster: '9999999999999999999' });
  await base(stores, { segments: 1, days: 2 });
  await prune(await openSession(stores), last(2));
  assert.deepEqual(await covered(stores[0]!, '9999999999999999999'), ['1: 1-4']);
  await prune(await openSession(stores), last(1));
  assert.deepEqual(await covered(stores[0]!, '9999999999999999999'), []);
  assert.deepEqual(await covered(stores[0]!), ['1: 1-4']);
});

test('folded segments go with their snapshot once nobody needs any of them, and the gap book is trimmed', async () => {
  await using dir = await tempDir();
  const { stores, log } = await world(dir, 1);
  await log.put(0, 4);
  const fold = {
    app: 'clinic',
    foldAfter: undefined,
    packing: { packSize: SEGMENT, compression: 3 },
    programVersion: '0',
    systemIdentifier: CLUSTER,
  } as const;
  await walFold(await openSession(stores), fold);
  await log.put(5, 12);
  const gap = {
    systemIdentifier: CLUSTER,
    timeline: 1,
    start: BigInt(4 * SEGMENT),
    end: BigInt(5 * SEGMENT),
    reason: 'other',
    detail: 'a test',
  } as const;
  await recordGap(await open(stores), gap);
  await base(stores, { segments: 3, days: 3 });
  await base(stores, { segments: 6, days: 1 });
  await prune(await openSession(stores), last(2));
  assert.deepEqual(await covered(stores[0]!), ['1: 0-4', '1: 5-12']);
  assert.equal((await readGaps(await open(stores), CLUSTER)).length, 1);
  await prune(await openSession(stores), last(1));
  assert.deepEqual(await covered(stores[0]!), ['1: 6-12']);
  assert.equal((await readGaps(await open(stores), CLUSTER)).length, 0);
});

test('a storage with a point whose manifest cannot be read keeps all WAL', async () => {
  await using dir = await tempDir();
  const { stores, log } = await world(dir, 1);
  await log.put(0, 4);
  await base(stores, { segments: 2, days: 1 });
  await writePoint(await open(stores), randomFiles(1, 2000, 'strange'), { sources: ['database'] });
  await prune(await openSession(stores), last(5));
  assert.deepEqual(await covered(stores[0]!), ['1: 0-4']);
});

test('a damaged, a short and a missing piece are found, remembered and healed from the other storage', async () => {
  await using dir = await tempDir();
  const { stores, log } = await world(dir);
  await log.archive.storeHistory(2, Buffer.from('1\t0/C00000\twhy\n'));
  await log.put(0, 6);
  await base(stores, { segments: 0, days: 1 });
  const before = await walKeys(stores[0]!);
  assert.deepEqual((await check(await openSession(stores))).findings, []);
  const [first, second, third] = before;
  const bytes = Buffer.from(await stores[0]!.get(first!));
  bytes[40]! ^= 1;
  await stores[0]!.put(first!, bytes);
  await stores[0]!.put(second!, Buffer.from(await stores[0]!.get(second!)).subarray(0, 5000));
  await rm(dir.join('a', third!));
  const { findings } = await check(await openSession(stores));
  assert.deepEqual(findings.map(({ storage, key, what }) => [storage, key, what]).sort(), [
    ['a', first, 'damaged'],
    ['a', second, 'damaged'],
    ['a', third, 'missing'],
  ]);
  const report = await sync(await openSession(stores));
  assert.deepEqual([report.wal.get('a')?.copied, report.remaining], [3, []]);
  assert.deepEqual((await check(await openSession(stores))).findings, []);
  assert.deepEqual(await walKeys(stores[0]!), before);
});

test('a storage that is merely behind is not damaged, and a wiped one gets all that is needed', async () => {
  await using dir = await tempDir();
  const { stores, log } = await world(dir);
  await log.put(0, 4);
  await log.put(4, 6, { storages: ['a'] });
  await base(stores, { segments: 1, days: 1 });
  assert.deepEqual((await check(await openSession(stores))).findings, []);
  await rm(dir.join('b'), { recursive: true });
  await sync(await openSession([stores[0]!, ...localStores(dir, 2).slice(1)]));
  assert.deepEqual(await covered(stores[1]!), ['1: 1-6']);
});

test('what has no good copy anywhere is reported and left in place', async () => {
  await using dir = await tempDir();
  const { stores, log } = await world(dir);
  await log.put(0, 3);
  await base(stores, { segments: 0, days: 1 });
  const [key] = await walKeys(stores[0]!);
  for (const store of stores) await store.put(key!, Buffer.alloc(5000, 7));
  const report = await sync(await openSession(stores), { readData: true });
  assert.deepEqual(
    report.remaining.map((damage) => [damage.storage, damage.key]),
    [
      ['a', key],
      ['b', key],
    ],
  );
  assert.equal((await walKeys(stores[0]!)).length, 3);
});
