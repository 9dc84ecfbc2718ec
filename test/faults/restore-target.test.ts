/** Targets that do not take what is restored: full, read-only, taken away. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { lstat, mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { faultStore } from '../../src/storage/testing/fault-store.ts';
import { filesSource, runBackUp } from '../integration/fixtures/backup-run.ts';
import { assertSameTree, runRestore, treeOf } from '../integration/fixtures/restore-run.ts';
import { init, localStores } from '../support/care.ts';
import { mountAt, mountable } from '../support/mounts.ts';
import { need } from '../support/needs.ts';
import { type TempDir, tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';

const MIB = 1024 * 1024;
const mounts = await mountable();
const fallocate = await need('fallocate');

async function setUp(dir: TempDir, bytes: number, files = 4) {
  const stores = localStores(dir, 1);
  await init(stores);
  await mkdir(dir.join('media'));
  for (let i = 0; i < files; i++) await writeFile(dir.join('media', `file-${i}`), randomBytes(bytes / files));
  await runBackUp({ stores, sources: [filesSource(dir.join('media'))] });
  return stores;
}

test('too little room is said before anything is written', mounts, async () => {
  await using dir = await tempDir();
  const stores = await setUp(dir, 8 * MIB);
  await using _disk = await mountAt(dir.join('disk'), 'size=4m');
  const target = dir.join('disk', 'out');
  await assert.rejects(runRestore({ stores, target }), {
    code: 'target_full',
    message: /4\.00 MiB free; the restore needs 8/,
  });
  await assert.rejects(lstat(target));
});

test('holes do not count as room: a sparse file larger than the disk is restored', mounts, async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 1);
  await init(stores);
  await mkdir(dir.join('media'));
  await writeFile(dir.join('media', 'disk.img'), 'boot');
  await truncate(dir.join('media', 'disk.img'), 64 * MIB);
  await runBackUp({ stores, sources: [filesSource(dir.join('media'))] });
  await using _disk = await mountAt(dir.join('disk'), 'size=16m');
  await runRestore({ stores, target: dir.join('disk', 'out') });
  assert.equal((await lstat(dir.join('disk', 'out', 'media', 'disk.img'))).size, 64 * MIB);
});

test('a disk that fills up during the restore ends it clearly; with room made, it continues', mounts, async () => {
  await using dir = await tempDir();
  const stores = await setUp(dir, 8 * MIB);
  await using _disk = await mountAt(dir.join('disk'), 'size=12m');
  const target = dir.join('disk', 'out');
  // somebody else takes the room once the plan was made, and before anything is written
  const ballast = dir.join('disk', 'ballast');
  const running = runRestore({
    stores,
    target,
    progress: (event) => {
      if (event.type === 'step' && event.step === 'restore') writeFileSync(ballast, Buffer.alloc(10 * MIB));
    },
  });
  await assert.rejects(running, { code: 'target_full', hint: /run the same restore again/ });
  await rm(ballast);
  await runRestore({ stores, target });
  assertSameTree(await treeOf(`${target}/media`), await treeOf(dir.join('media')));
});

test('a large file has all its room on the disk as soon as it is begun', fallocate, async () => {
  await using dir = await tempDir();
  const stores = (await setUp(dir, 20 * MIB, 1)).map((store) => faultStore(store));
  stores[0]!.inject({ on: 'get', key: /^data\//, skip: 8, fault: { kind: 'hang' } });
  const stop = new AbortController();
  const target = dir.join('out');
  const running = runRestore({ stores, target, signal: stop.signal });
  const ended = assert.rejects(running);
  const taken = async () => {
    const files = await readdir(join(target, 'media')).catch(() => []);
    const sizes = await Promise.all(files.map((name) => lstat(join(target, 'media', name))));
    return sizes.some(({ blocks }) => blocks * 512 >= 20 * MIB);
  };
  await until(taken);
  stop.abort();
  await ended;
});

test('a read-only target is refused with its reason', mounts, async () => {
  await using dir = await tempDir();
  const stores = await setUp(dir, MIB);
  await using _disk = await mountAt(dir.join('disk'), 'size=12m,ro');
  await assert.rejects(runRestore({ stores, target: dir.join('disk', 'out') }), {
    code: 'target_unwritable',
    message: /EROFS/,
  });
  await assert.rejects(runRestore({ stores, target: dir.join('disk') }), { code: 'target_unwritable' });
  assert.deepEqual(await readdir(dir.join('disk')), []);
});

test('a target below something that is no directory is refused', async () => {
  await using dir = await tempDir();
  const stores = await setUp(dir, MIB);
  await assert.rejects(runRestore({ stores, target: dir.join('media', 'file-0', 'out') }), {
    code: 'target_unwritable',
  });
});
