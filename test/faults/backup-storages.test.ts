/** Backups onto storages that break: each is named with its own error, none holds up or fails the others, nothing succeeds falsely. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type BackupApp, backupApp, fillMedia, objectsOf } from '../integration/fixtures/backup-app.ts';
import { init, localStore } from '../support/care.ts';
import { mountable } from '../support/mounts.ts';
import { need } from '../support/needs.ts';
import { run, runOk } from '../support/run.ts';

const restic = await need('restic');
const MIB = 1024 * 1024;

const { skip: mountSkip } = await mountable();

/** More room on the disk of a storage, as its owner would make. */
async function makeRoom(app: BackupApp, ...names: readonly string[]): Promise<void> {
  for (const name of names) await runOk('mount', ['-o', 'remount,size=64m', app.dir.join(name)]);
}

/** An app whose storages `names` are on disks of their own, of `size`. */
async function appOnSmallDisks(names: readonly string[], size: string): Promise<BackupApp> {
  const app = await backupApp({ local: ['a', 'b', 'c'] });
  for (const name of names) {
    const moved = app.dir.join(`${name}-moved`);
    await rename(app.dir.join(name), moved);
    await mkdir(app.dir.join(name));
    await runOk('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', app.dir.join(name)]);
    await runOk('cp', ['-a', `${moved}/.`, app.dir.join(name)]);
    await rm(moved, { recursive: true });
  }
  const unmount = async () => {
    for (const name of names) await run('umount', ['--lazy', app.dir.join(name)]);
    await app[Symbol.asyncDispose]();
  };
  return { ...app, [Symbol.asyncDispose]: unmount };
}

describe('disks that fill up', { skip: mountSkip || restic.skip }, () => {
  test('one that is full is named, the others are complete, and the command ends with 3', async () => {
    await using app = await appOnSmallDisks(['b'], '6m');
    await writeFile(join(app.media, 'large'), randomBytes(24 * MIB));
    const { storages, copies, partial } = await app.backUp([], 3);
    assert.equal(storages.a, 'complete');
    assert.equal(storages.c, 'complete');
    assert.match(storages.b!, /^b: .*(full|space)/);
    assert.equal(copies, 2);
    assert.equal(partial, true);
    assert.deepEqual(await app.restic('b').snapshots(), []);
    await makeRoom(app, 'b');
    await app.assertWhole();
    assert.deepEqual((await app.ok(['points', '--json'])).document<{ storages: string[] }[]>()[0]?.storages, [
      'a',
      'c',
    ]);
  });

  test('one without room for even a lock is named, and the others are complete', async () => {
    await using app = await appOnSmallDisks(['b'], '1m');
    await runOk('sh', ['-c', `cat /dev/zero > ${app.dir.join('b', 'filler')}; true`]);
    await writeFile(join(app.media, 'small'), 'x');
    const { storages } = await app.backUp([], 3);
    assert.match(storages.b!, /^b: .*(full|space)/);
    assert.deepEqual([storages.a, storages.c], ['complete', 'complete']);
  });

  test('when all are full the command fails with each error, and there is no point', async () => {
    await using app = await appOnSmallDisks(['a', 'b', 'c'], '6m');
    await writeFile(join(app.media, 'large'), randomBytes(24 * MIB));
    const { code, error } = await app.run(['backup', '--json']);
    assert.equal(code, 1);
    assert.equal(error?.error, 'storages_failed');
    for (const name of ['a: ', 'b: ', 'c: ']) assert.ok(String(error?.message).includes(name), String(error?.message));
    for (const name of ['a', 'b', 'c']) assert.deepEqual(await objectsOf(app.dir.join(name, 'snapshots')), []);
    await makeRoom(app, 'a', 'b', 'c');
    await app.assertWhole();
  });
});

describe('storages that are not there', { skip: restic.skip }, () => {
  test('one whose directory is gone is named; once it is back it is behind until sync, and counted as such', async () => {
    await using app = await backupApp({ local: ['a', 'b', 'c'], copies: 2 });
    await fillMedia(app.media);
    await rename(app.dir.join('b'), app.dir.join('elsewhere'));
    const without = await app.backUp();
    assert.equal(without.copies, 2);
    assert.equal(without.copies_required, 2);
    assert.match(without.storages.b!, /^b: /);
    await rename(app.dir.join('elsewhere'), app.dir.join('b'));
    const again = await app.backUp();
    assert.deepEqual(again.storages, { a: 'complete', b: 'behind', c: 'complete' });
    await app.assertWhole();
  });

  test('too few copies end with 3 and say how many there are', async () => {
    await using app = await backupApp({ local: ['a', 'b', 'c'], copies: 3 });
    await writeFile(join(app.media, 'x'), 'x');
    await rename(app.dir.join('c'), app.dir.join('elsewhere'));
    const { code, stderr, stdout } = await app.run(['backup']);
    assert.equal(code, 3);
    assert.match(stdout + stderr, /2 of the 3 copies/);
    assert.match(stdout + stderr, /holdfast sync/);
  });

  test('one that holds another repository is named and left alone, and the others are complete', async () => {
    await using app = await backupApp();
    await writeFile(join(app.media, 'x'), 'x');
    await rm(app.dir.join('b'), { recursive: true });
    await init([localStore(app.dir, 'b')], 'somebody else');
    const before = await objectsOf(app.dir.join('b'));
    const { storages } = await app.backUp([], 3);
    assert.equal(storages.a, 'complete');
    assert.match(storages.b!, /^b: .*another repository/);
    assert.deepEqual(await objectsOf(app.dir.join('b')), before);
    await app.assertWhole('a');
  });

  test('one that takes no writes is named, and the others are complete', {
    skip: mountSkip,
  }, async () => {
    await using app = await backupApp();
    await writeFile(join(app.media, 'x'), 'x');
    const b = app.dir.join('b');
    await runOk('mount', ['--bind', b, b]);
    await runOk('mount', ['-o', 'remount,ro,bind', b]);
    try {
      const { storages } = await app.backUp([], 3);
      assert.equal(storages.a, 'complete');
      assert.match(storages.b!, /^b: /);
    } finally {
      await run('umount', [b]);
    }
    await app.assertWhole();
  });

  test('no repository anywhere ends with 10, a wrong password with 12', async () => {
    await using app = await backupApp();
    const wrong = app.dir.join('wrong.yaml');
    const text = (await runOk('cat', [app.configFile])).stdout;
    await writeFile(wrong, text.replace('correct horse', 'wrong horse'), { mode: 0o600 });
    const denied = await app.run(['--config', wrong, 'backup', '--json']);
    assert.deepEqual([denied.code, denied.error?.error], [12, 'wrong_password']);
    for (const name of ['a', 'b']) {
      await rm(app.dir.join(name), { recursive: true });
      await mkdir(app.dir.join(name));
      await chmod(app.dir.join(name), 0o700);
    }
    const missing = await app.run(['backup', '--json']);
    assert.deepEqual([missing.code, missing.error?.error], [10, 'repository_missing']);
  });
});
