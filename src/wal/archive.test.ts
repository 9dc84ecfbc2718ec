/** The archive as it is listed, read and written: overlaps, holes, damaged copies, hostile listings. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { isFailure } from '../base/failure.ts';
import { initRepositories } from '../repository/init.ts';
import { openRepository, type Repository } from '../repository/repository.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { faultStore } from '../storage/testing/fault-store.ts';
import { memoryStore } from '../storage/testing/memory-store.ts';
import { WalArchive } from './archive.ts';
import { pieceKey, type WalSpan } from './piece.ts';
import { openPiece, sealPiece } from './sealed.ts';

const SEGMENT = 1024 * 1024;
const CLUSTER = '7412345678901234567';
const PASSWORD = 'pieces of log';
const HOLDER = { hostname: 'h', username: 'u', pid: process.pid, system: 't', isAlive: () => true };

async function repositoryIn(stores: readonly ObjectStore[]): Promise<Repository> {
  await initRepositories(stores, PASSWORD, { clock: systemClock, holder: HOLDER, scrypt: { N: 1024, r: 8, p: 1 } });
  return openRepository(stores, PASSWORD, { clock: systemClock, holder: HOLDER });
}

function span(start: number, end: number, more: Partial<WalSpan> = {}): WalSpan {
  const none = { firstCommit: undefined, lastCommit: undefined };
  const place = { start: BigInt(start), end: BigInt(end), segmentSize: SEGMENT };
  return { systemIdentifier: CLUSTER, timeline: 1, ...place, ...none, ...more };
}

async function put(archive: WalArchive, log: Buffer, start: number, end: number, timeline = 1) {
  const { piece, sealed } = await archive.seal(span(start, end, { timeline }), log.subarray(start, end));
  await archive.store(piece, sealed);
  return piece;
}

async function collect(runs: AsyncIterable<{ start: bigint; bytes: Buffer }>, from: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let position = BigInt(from);
  for await (const { start, bytes } of runs) {
    assert.equal(start, position);
    parts.push(bytes);
    position += BigInt(bytes.length);
  }
  return Buffer.concat(parts);
}

test('slices that overlap each other and a whole segment read as one log', async () => {
  const archive = new WalArchive(await repositoryIn([memoryStore('a'), memoryStore('b')]), CLUSTER);
  const log = randomBytes(3 * SEGMENT);
  await put(archive, log, 0, SEGMENT);
  for (const [start, end] of [
    [0, 5000],
    [4000, 90_000],
    [90_000, SEGMENT],
  ] as const)
    await put(archive, log, SEGMENT + start, SEGMENT + end);
  await put(archive, log, 2 * SEGMENT, 3 * SEGMENT);
  await put(archive, log, 2 * SEGMENT, 2 * SEGMENT + 777);
  const inventory = await archive.list();
  assert.equal(inventory.pieces.length, 6);
  assert.ok(inventory.pieces.every(({ mask }) => mask === 3));
  const from = 1000;
  const to = 3 * SEGMENT - 13;
  assert.deepEqual(await collect(archive.read(1, BigInt(from), BigInt(to), inventory), from), log.subarray(from, to));
});

test('a byte that is nowhere is said by its position, also exactly at the border of a segment', async () => {
  const archive = new WalArchive(await repositoryIn([memoryStore('a')]), CLUSTER);
  const log = randomBytes(3 * SEGMENT);
  await put(archive, log, 0, SEGMENT);
  await put(archive, log, 2 * SEGMENT, 3 * SEGMENT);
  const inventory = await archive.list();
  await assert.rejects(collect(archive.read(1, 0n, BigInt(3 * SEGMENT), inventory), 0), (error) => {
    return isFailure(error, 'moment_unreachable') && error.message.includes('0/100000');
  });
});

test('a copy that is damaged, cut short or missing is gone round, another piece takes the place of one that is lost', async () => {
  const a = faultStore(memoryStore('a'));
  const b = memoryStore('b');
  const archive = new WalArchive(await repositoryIn([a, b]), CLUSTER);
  const log = randomBytes(SEGMENT);
  const whole = await put(archive, log, 0, SEGMENT);
  await put(archive, log, 0, 3000);
  await put(archive, log, 3000, SEGMENT);
  const key = pieceKey(whole);
  const good = Buffer.from(await b.get(key));
  const read = async () => collect(archive.read(1, 0n, BigInt(SEGMENT), await archive.list()), 0);
  const spoilt = Buffer.from(good);
  spoilt[5000]! ^= 1;
  for (const bad of [spoilt, good.subarray(0, good.length - 1), Buffer.concat([good, Buffer.of(0)])]) {
    await a.put(key, bad);
    assert.deepEqual(await read(), log);
    await b.put(key, bad);
    assert.deepEqual(await read(), log);
    await b.put(key, good);
  }
});

test('a storage that cannot be listed is named and hides nothing', async () => {
  const a = faultStore(memoryStore('a'));
  const archive = new WalArchive(await repositoryIn([a, memoryStore('b')]), CLUSTER);
  await put(archive, randomBytes(SEGMENT), 0, 100);
  a.inject({ on: 'list', fault: { kind: 'fail', code: 'storage_unreachable' } });
  const { pieces, silent } = await archive.list();
  assert.deepEqual([pieces.length, [...silent.keys()]], [1, ['a']]);
});

test('hostile names and sizes in a listing are passed over', async () => {
  const store = memoryStore('a');
  const archive = new WalArchive(await repositoryIn([store]), CLUSTER);
  const hash = 'ab'.repeat(32);
  const names = [
    '00000001/0000000000000000-0000000000100000.3.0-0',
    '00000001/0000000000000000-0000000000000000.1.0-0',
    '00000001/0000000000000001-0000000000100001.1.0-0',
    '00000001/0000000000000000-0000000000100000.1.5-4',
    '00000000/0000000000000000-0000000000100000.1.0-0',
    '00000001/0000000000000000-ffffffffffffffff.1.0-0',
  ];
  for (const name of names) await store.put(`wal/${CLUSTER}/${name}.${hash}`, Buffer.alloc(100));
  await store.put(`wal/${CLUSTER}/00000001/0000000000000000-0000000000100000.1.0-0.${hash}`, Buffer.alloc(20));
  await store.put(`wal/${CLUSTER}/history/00000002.${hash}`, Buffer.alloc(3 * SEGMENT));
  const { pieces, histories } = await archive.list();
  assert.deepEqual([pieces.length, histories.length], [0, 0]);
});

test('a sealed piece with any bit changed, or that opens to another length, is damaged', async () => {
  const { sealer } = await repositoryIn([memoryStore('a')]);
  const archive = new WalArchive(await repositoryIn([memoryStore('a')]), CLUSTER);
  const bytes = randomBytes(5000);
  const { piece, sealed } = await archive.seal(span(0, 5000), bytes);
  for (let i = 0; i < 50; i++) {
    const changed = Buffer.from(sealed);
    changed[Math.floor((i / 50) * sealed.length)]! ^= 1 << (i % 8);
    assert.throws(() => openPiece(archive.repository.sealer, changed, piece), { code: 'data_damaged' });
  }
  assert.throws(() => openPiece(archive.repository.sealer, sealed, { ...piece, end: 5001n }), { code: 'data_damaged' });
  assert.throws(() => openPiece(archive.repository.sealer, sealed, { ...piece, end: 4999n }), { code: 'data_damaged' });
  const foreign = await sealPiece(sealer, bytes);
  assert.throws(() => openPiece(archive.repository.sealer, foreign, piece), { code: 'data_damaged' });
});

test('a hundred thousand pieces of three storages are listed with little memory for each', async () => {
  const hash = 'cd'.repeat(32);
  const page = (from: number) =>
    Array.from({ length: 1000 }, (_, i) => {
      const start = BigInt((from + i) * SEGMENT);
      const name = { start, end: start + BigInt(SEGMENT), segmentSize: SEGMENT, firstCommit: 1n, lastCommit: 2n };
      return { key: pieceKey({ systemIdentifier: CLUSTER, timeline: 1, ...name, hash: hash as never }), size: 1000 };
    });
  const stores = ['a', 'b', 'c'].map((name): ObjectStore => {
    const store = memoryStore(name);
    return {
      ...store,
      put: store.put.bind(store),
      get: store.get.bind(store),
      list: (prefix, options) =>
        prefix.startsWith('wal/')
          ? (async function* () {
              for (let i = 0; i < 100; i++) yield page(i * 1000);
            })()
          : store.list(prefix, options),
    };
  });
  const archive = new WalArchive(await repositoryIn(stores), CLUSTER);
  const { pieces } = await archive.list();
  assert.equal(pieces.length, 100_000);
  assert.equal(pieces[99_999]?.mask, 7);
  assert.equal(pieces[50_000]?.piece.start, 50_000n * BigInt(SEGMENT));
});
