/** Folding: loose WAL becomes snapshots; nothing is ever in neither form. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { listPoints } from '../../src/operations/list-points.ts';
import { walFold } from '../../src/operations/wal-fold.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { faultStore } from '../../src/storage/testing/fault-store.ts';
import { WalArchive } from '../../src/wal/archive.ts';
import { spans } from '../../src/wal/coverage.ts';
import { init, localStores, open, openSession, PASSWORD } from '../support/care.ts';
import { DEAD, dyingStores } from '../support/dying.ts';
import { need } from '../support/needs.ts';
import { Restic } from '../support/restic.ts';
import { tempDir } from '../support/temp.ts';
import { CLUSTER, madeLog, SEGMENT } from '../support/wal.ts';

const restic = await need('restic');
const NOW = {
  app: 'clinic',
  foldAfter: undefined,
  packing: { packSize: 4 * SEGMENT, compression: 3 },
  programVersion: '0',
  systemIdentifier: CLUSTER,
} as const;

async function read(stores: readonly ObjectStore[], from: number, to: number, timeline = 1): Promise<Buffer> {
  const archive = new WalArchive(await open(stores), CLUSTER);
  const parts: Buffer[] = [];
  for await (const { bytes } of archive.read(timeline, BigInt(from), BigInt(to), await archive.list()))
    parts.push(bytes);
  return Buffer.concat(parts);
}

async function loosePieces(store: ObjectStore): Promise<number> {
  let count = 0;
  for await (const page of store.list('wal/')) count += page.filter(({ key }) => !key.includes('/history/')).length;
  return count;
}

test('folded segments are read as before, from any storage; only what is not complete stays loose', async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 2);
  await init(stores);
  const log = madeLog(await open(stores), 6);
  await log.put(0.5, 4);
  await log.put(4, 4.25);
  await log.put(4.25, 4.5);
  const before = spans(await log.archive.list());
  const outcome = await walFold(await openSession(stores), NOW);
  assert.deepEqual([outcome.segments, outcome.snapshots.length, outcome.removed], [3, 1, 6]);
  for (const store of stores) {
    assert.equal(await loosePieces(store), 3);
    assert.deepEqual(await read([store], SEGMENT / 2, 4.5 * SEGMENT), log.bytes.subarray(SEGMENT / 2, 4.5 * SEGMENT));
  }
  assert.deepEqual(spans(await new WalArchive(await open(stores), CLUSTER).list()), before);
  assert.equal((await walFold(await openSession(stores), NOW)).segments, 0);
  const { points } = await listPoints(await openSession(stores), { app: 'clinic', sources: [] });
  assert.deepEqual(points, []);
});

test('segments wait until they are old, and until there are enough or they have waited long', async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 1);
  await init(stores);
  const log = madeLog(await open(stores), 8);
  await log.put(0, 8);
  const age = Date.now() - 1_704_067_200_000;
  const fold = async (foldAfter: number) => (await walFold(await openSession(stores), { ...NOW, foldAfter })).segments;
  assert.equal(await fold(age + 60_000), 0);
  assert.equal(await fold(age - 3000), 0);
  assert.equal(await fold(Math.floor(age / 2) - 3000), 7);
});

test('the book of folds is written again from the snapshots when it is lost', async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 1);
  await init(stores);
  const log = madeLog(await open(stores), 3);
  await log.put(0, 3);
  await walFold(await openSession(stores), NOW);
  const before = (await log.archive.list()).pieces.map(({ piece, mask, folded }) => ({ piece, mask, folded }));
  const books = async () => (await readdir(dir.join('a', 'meta', 'wal-folds'))).length;
  for await (const page of stores[0]!.list('meta/wal-folds/')) for (const { key } of page) await stores[0]!.delete(key);
  const after = (await new WalArchive(await open(stores), CLUSTER).list()).pieces;
  assert.deepEqual(
    after.map(({ piece, mask, folded }) => ({ piece, mask, folded })),
    before,
  );
  assert.equal(await books(), 1);
});

test('a storage that fails meanwhile keeps its loose pieces, and is brought level later', async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 2);
  await init(stores);
  const log = madeLog(await open(stores), 3);
  await log.put(0, 3);
  const failing = faultStore(stores[1]!);
  failing.inject({ on: 'put', key: /^(data|snapshots)\//, fault: { kind: 'fail', code: 'storage_full' }, times: 99 });
  const outcome = await walFold(await openSession([stores[0]!, failing]), NOW);
  assert.deepEqual([...outcome.failures.keys()], ['b']);
  assert.deepEqual([await loosePieces(stores[0]!), await loosePieces(stores[1]!)], [0, 3]);
  assert.deepEqual(await read([stores[1]!], 0, 3 * SEGMENT), log.bytes);
});

test('a snapshot that does not give back what was folded leaves the loose pieces alone', async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 1);
  await init(stores);
  const log = madeLog(await open(stores), 2);
  await log.put(0, 2);
  const store = faultStore(stores[0]!);
  store.inject({ on: 'get', key: /^data\//, fault: { kind: 'fail', code: 'data_damaged' }, times: 999 });
  const outcome = await walFold(await openSession([store]), NOW);
  assert.deepEqual([[...outcome.failures.keys()], outcome.removed, await loosePieces(stores[0]!)], [['a'], 0, 2]);
  assert.equal((await walFold(await openSession(stores), NOW)).removed, 2);
});

test('ended at any change it makes, every byte is still there', async () => {
  await using dir = await tempDir();
  for (let changes = 0; ; changes++) {
    const stores = localStores(dir, 1);
    const own = { ...dir, join: (...parts: string[]) => dir.join(`run-${changes}`, ...parts) };
    const fresh = localStores(own, 1);
    void stores;
    await init(fresh);
    const log = madeLog(await open(fresh), 2);
    await log.put(0, 2);
    const dying = dyingStores(fresh, changes, changes % 2 === 0);
    await walFold(await openSession(dying.stores, DEAD), NOW).catch(() => {});
    assert.deepEqual(await read(fresh, 0, 2 * SEGMENT), log.bytes, `after ${changes} changes`);
    if (!dying.died()) break;
  }
});

test('restic restores segments and histories, and finds the repository whole', { skip: restic.skip }, async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 1);
  await init(stores);
  const log = madeLog(await open(stores), 5);
  await log.put(1, 3);
  await log.archive.storeHistory(2, Buffer.from('1\t0/380000\twhy not\n'));
  await log.put(3, 5, { timeline: 2 });
  await walFold(await openSession(stores), NOW);
  const judge = new Restic(dir.join('a'), PASSWORD);
  await judge.check();
  await judge.ok('restore', 'latest', '--tag', `holdfast-wal,cluster=${CLUSTER}`, '--target', dir.join('out'));
  const wal = dir.join('out', 'clinic', 'wal');
  assert.deepEqual((await readdir(wal)).sort(), ['00000001', '00000002', 'folded.json']);
  assert.deepEqual((await readdir(`${wal}/00000002`)).sort(), [
    '00000002.history',
    '000000020000000000000003',
    '000000020000000000000004',
  ]);
  assert.deepEqual(
    await readFile(`${wal}/00000001/000000010000000000000002`),
    log.bytes.subarray(2 * SEGMENT, 3 * SEGMENT),
  );
});
