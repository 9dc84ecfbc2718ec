/** Targets that do not take what is restored: full, read-only, taken away. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { lstat, mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { filesSource, runBackUp } from '../integration/fixtures/backup-run.ts';
import { assertSameTree, runRestore, treeOf } from '../integration/fixtures/restore-run.ts';
import { init, localStores } from '../support/care.ts';
import { mountAt, mountable } from '../support/mounts.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

const MIB = 1024 * 1024;
const mounts = await mountable();

async function setUp(dir: TempDir, bytes: number) {
  const stores = localStores(dir, 1);
  await init(stores);
  await mkdir(dir.join('media'));
  for (let i = 0; i < 4; i++) await writeFile(dir.join('media', `file-${i}`), randomBytes(bytes / 4));
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
