/** Restoring while storages are damaged, gone or slow: what one cannot give comes from another, and each is told with its own error. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FaultStore, faultStore } from '../../src/storage/testing/fault-store.ts';
import { filesSource, runBackUp } from '../integration/fixtures/backup-run.ts';
import { assertSameTree, runRestore, treeOf } from '../integration/fixtures/restore-run.ts';
import { init, localStores } from '../support/care.ts';
import { flipBit, packFiles, wipe } from '../support/spoil.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

const MIB = 1024 * 1024;

async function setUp(dir: TempDir) {
  const stores = localStores(dir, 3).map((store) => faultStore(store)) as [FaultStore, FaultStore, FaultStore];
  await init(stores);
  await mkdir(dir.join('media', 'small'), { recursive: true });
  for (let i = 0; i < 4; i++) await writeFile(dir.join('media', `large-${i}`), randomBytes(2 * MIB));
  for (let i = 0; i < 100; i++) await writeFile(dir.join('media', 'small', `${i}`), randomBytes(2000));
  await runBackUp({ stores, sources: [filesSource(dir.join('media'))] });
  return stores;
}

async function assertRestored(dir: TempDir, target = dir.join('out')): Promise<void> {
  assertSameTree(await treeOf(`${target}/media`), await treeOf(dir.join('media')));
}

test('packs that are damaged in one storage come from the next', async () => {
  await using dir = await tempDir();
  const stores = await setUp(dir);
  for (const pack of await packFiles(dir.join('a'))) await flipBit(pack, 100);
  const outcome = await runRestore({ stores, target: dir.join('out') });
  await assertRestored(dir);
  assert.deepEqual(
    outcome.storage_problems.map(({ storage }) => storage),
    ['a'],
  );
  assert.match(
    outcome.storage_problems[0]!.message,
    /^a: (1 of \d+ blobs? of a pack is|(?!1 )\d+ of \d+ blobs of a pack are) damaged/,
  );
  assert.deepEqual(outcome.problems, []);
});

test('one storage wiped, one with packs missing: the third gives the rest', async () => {
  await using dir = await tempDir();
  const stores = await setUp(dir);
  await wipe(dir.join('a'));
  const packs = await packFiles(dir.join('b'));
  for (const pack of packs.slice(0, 2)) await rm(pack);
  const outcome = await runRestore({ stores, target: dir.join('out') });
  await assertRestored(dir);
  assert.deepEqual(
    outcome.storage_problems.map(({ storage }) => storage),
    ['b'],
  );
  assert.deepEqual(Object.keys(outcome.bytes_fetched).sort(), ['b', 'c']);
});

test('what is damaged here in one place and there in another is put together from both', async () => {
  await using dir = await tempDir();
  const stores = await setUp(dir);
  const names = (await packFiles(dir.join('a'))).map((file) => file.slice(dir.join('a').length));
  await wipe(dir.join('c'));
  for (const [i, name] of names.entries()) await flipBit(dir.join(i % 2 === 0 ? 'a' : 'b') + name, 50);
  const outcome = await runRestore({ stores, target: dir.join('out') });
  await assertRestored(dir);
  assert.equal(outcome.missing, 0);
});

test('a storage that answers short, refuses or stops answering in the middle does not stop the restore', async () => {
  for (const fault of [
    { kind: 'truncate', keep: 1000 },
    { kind: 'fail', code: 'storage_refused' },
    { kind: 'fail', code: 'storage_unreachable' },
    { kind: 'flipBit' },
  ] as const) {
    await using dir = await tempDir();
    const stores = await setUp(dir);
    stores[0].inject({ on: 'get', key: /^data\//, skip: 4, fault });
    const outcome = await runRestore({ stores, target: dir.join('out') });
    await assertRestored(dir);
    assert.deepEqual(
      outcome.storage_problems.map(({ storage }) => storage),
      ['a'],
      JSON.stringify(fault),
    );
  }
});

test('a storage that keeps failing is asked last from then on', async () => {
  await using dir = await tempDir();
  const stores = await setUp(dir);
  const rule = stores[0].inject({ on: 'get', key: /^data\//, skip: 3, fault: { kind: 'fail' } });
  await runRestore({ stores, target: dir.join('out') });
  await assertRestored(dir);
  assert.ok(rule.hits >= 1 && rule.hits <= 12, `asked ${rule.hits} times`);
});

test('with --storage only that one is read, and its damage is not covered up', async () => {
  await using dir = await tempDir();
  const stores = await setUp(dir);
  for (const pack of (await packFiles(dir.join('b'))).slice(0, 3)) await flipBit(pack, 100);
  const outcome = await runRestore({ stores, target: dir.join('out'), input: { storage: 'b' } });
  assert.deepEqual(Object.keys(outcome.bytes_fetched), ['b']);
  assert.ok(outcome.missing > 0);
});

test('content that no storage has: its files are named and not left half-written, the rest is there, healed it continues', async () => {
  await using dir = await tempDir();
  const stores = await setUp(dir);
  const name = (await packFiles(dir.join('a')))[0]!.slice(dir.join('a').length);
  const good = await readFile(dir.join('a') + name);
  for (const storage of ['a', 'b', 'c']) await flipBit(dir.join(storage) + name, 100);
  const target = dir.join('out');
  const outcome = await runRestore({ stores, target });
  assert.equal(outcome.missing, 1);
  assert.deepEqual(outcome.storage_problems.map(({ storage }) => storage).sort(), ['a', 'b', 'c']);
  const missing = outcome.problems[0]!.path;
  await assert.rejects(lstat(`${target}/${missing}`));
  assert.equal((await treeOf(`${target}/media`)).size, (await treeOf(dir.join('media'))).size - 1);

  await rm(dir.join('b') + name);
  await writeFile(dir.join('b') + name, good);
  const again = await runRestore({ stores, target });
  await assertRestored(dir);
  assert.ok(Object.values(again.bytes_fetched).reduce((a, b) => a + b) < 7 * MIB, 'only what was missing is fetched');
  assert.ok(!(await readdir(target)).includes('.holdfast-restore.json'));
});

test('an interruption leaves a restore that continues', async () => {
  await using dir = await tempDir();
  const stores = await setUp(dir);
  const target = dir.join('out');
  const stop = new AbortController();
  stores[0].inject({ on: 'get', key: /^data\//, skip: 8, fault: { kind: 'hang' } });
  const running = runRestore({ stores, target, signal: stop.signal });
  running.catch(() => {});
  const begun = async () =>
    [...(await treeOf(target).catch(() => new Map())).values()].some(({ text }) => / [1-9]\d{5}/.test(text));
  while (!(await begun())) await sleep(5);
  stop.abort();
  await assert.rejects(running);
  stores[0].recover();
  const outcome = await runRestore({ stores, target });
  await assertRestored(dir);
  assert.deepEqual(outcome.problems, []);
});
