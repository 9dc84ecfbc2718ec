/** restic and we work on the same repository: checking, pruning and locking, in both directions. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { check } from '../../src/operations/check.ts';
import { prune } from '../../src/operations/prune.ts';
import { sync } from '../../src/operations/sync.ts';
import { addKeyFile, replaceKeyFile } from '../../src/repository/key-files.ts';
import { listSnapshots } from '../../src/repository/snapshots.ts';
import {
  init,
  localStore,
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

const { skip } = await need('restic');

/** A repository that restic made, with two snapshots of directories, links, odd names and an empty file. */
async function resticRepository(dir: TempDir): Promise<Restic> {
  const restic = new Restic(dir.join('a'), PASSWORD);
  await restic.init();
  const source = dir.join('source');
  await mkdir(`${source}/deep/deeper`, { recursive: true });
  await writeFile(`${source}/empty`, '');
  await writeFile(`${source}/quote " and \n line`, 'odd');
  for (let i = 0; i < 6; i++) await writeFile(`${source}/deep/file-${i}`, randomBytes(700_000));
  await restic.backup([source]);
  for (let i = 0; i < 3; i++) await writeFile(`${source}/deep/file-${i}`, randomBytes(700_000));
  await restic.backup([source]);
  return restic;
}

test('we check a repository that restic made, and find what is damaged in it', { skip }, async () => {
  await using dir = await tempDir();
  await resticRepository(dir);
  const stores = [localStore(dir, 'a')];
  const { findings, points } = await check(await openSession(stores), { readData: true });
  assert.deepEqual([findings, points.size], [[], 2]);
  await flipBit((await packFiles(dir.join('a')))[0]!);
  assert.notEqual((await check(await openSession(stores))).findings.length, 0);
});

test('we copy a repository that restic made to another storage, and heal it from there', { skip }, async () => {
  await using dir = await tempDir();
  const restic = await resticRepository(dir);
  const stores = [localStore(dir, 'a'), localStore(dir, 'b')];
  await init(stores);
  await sync(await openSession(stores));
  await new Restic(dir.join('b'), PASSWORD).check();
  for (const file of await packFiles(dir.join('a'))) await flipBit(file);
  await sync(await openSession(stores), { readData: true });
  await restic.check();
});

test('we prune what restic forgot, and restic restores the rest', { skip }, async () => {
  await using dir = await tempDir();
  const restic = await resticRepository(dir);
  await restic.ok('forget', '--keep-last', '1');
  const before = await packFiles(dir.join('a'));
  const outcome = await prune(await openSession([localStore(dir, 'a')]), { apps: [] });
  assert.equal(outcome.failures.size, 0);
  assert.notDeepEqual(await packFiles(dir.join('a')), before);
  await restic.check();
  await restic.restore('latest', dir.join('restored'));
  assert.equal((await readdir(dir.join('restored', dir.join('source'), 'deep'))).length, 7);
});

test('restic prunes what we forgot, on a repository that we made and pruned before', { skip }, async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 1);
  const restic = new Restic(dir.join('a'), PASSWORD);
  await init(stores);
  const files = randomFiles(20, 50_000);
  const old = await writePoint(await open(stores), files, { time: Date.now() - 2000 });
  await writePoint(await open(stores), Object.fromEntries(Object.entries(files).slice(0, 5)));
  await rm(dir.join('a', 'snapshots', old));
  await prune(await openSession(stores), { apps: [] });
  await restic.check();
  await restic.ok('prune', '--max-unused', '0');
  await restic.check();
  assert.deepEqual((await check(await openSession(stores), { readData: true })).findings, []);
  await restic.ok('forget', '--keep-last', '1', '--prune');
  assert.deepEqual((await check(await openSession(stores), { readData: true })).findings, []);
});

test('a point whose tags restic changed stays a point', { skip }, async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 1);
  await init(stores);
  await writePoint(await open(stores), randomFiles(1, 1000));
  await new Restic(dir.join('a'), PASSWORD).ok('tag', '--add', 'kept');
  const retention = { last: 1 };
  const outcome = await prune(await openSession(stores), { apps: [{ app: 'clinic', byStorage: {}, retention }] });
  assert.equal(outcome.decisions.length, 1);
  assert.equal((await listSnapshots(await open(stores))).snapshots.length, 1);
});

test('restic and we respect each other’s locks', { skip }, async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 1);
  const restic = new Restic(dir.join('a'), PASSWORD);
  await init(stores);
  await writePoint(await open(stores), randomFiles(1, 1000));
  const repository = await open(stores);
  {
    await using shared = await repository.lock(false);
    await restic.snapshots();
    assert.notEqual((await restic.run('prune')).code, 0);
    await restic.ok('unlock');
    await shared.assertHeld();
    assert.deepEqual((await check(await openSession(stores))).findings, []);
    await assert.rejects(prune(await openSession(stores), { apps: [] }), { code: 'locked' });
  }
  await using exclusive = await repository.lock(true);
  assert.notEqual((await restic.run('snapshots')).code, 0);
  await assert.rejects(check(await openSession(stores)), { code: 'locked' });
  await restic.ok('unlock', '--remove-all');
  await assert.rejects(exclusive.assertHeld(), { code: 'lock_lost' });
});

test('restic opens the repository with each of our passwords, and no longer with the replaced one', {
  skip,
}, async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 1);
  await init(stores);
  await addKeyFile(await open(stores), 'second');
  await new Restic(dir.join('a'), 'second').snapshots();
  await replaceKeyFile(await open(stores, 'second'), 'third');
  await new Restic(dir.join('a'), 'third').check();
  await new Restic(dir.join('a'), PASSWORD).check();
  assert.notEqual((await new Restic(dir.join('a'), 'second').run('snapshots')).code, 0);
});

test('we open the repository with a password that restic added', { skip }, async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 1);
  await init(stores);
  await writeFile(dir.join('new-password'), 'from restic');
  await new Restic(dir.join('a'), PASSWORD).ok('key', 'add', '--new-password-file', dir.join('new-password'));
  assert.equal((await open(stores, 'from restic')).replicas.length, 1);
});
