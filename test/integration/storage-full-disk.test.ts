/** A local storage on a disk that is really full, and on one that is really read-only. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { type FailureCode, isFailure } from '../../src/base/failure.ts';
import { openStore } from '../../src/storage/open.ts';
import { mountable } from '../support/mounts.ts';
import { run } from '../support/run.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

const MIB = 1024 * 1024;
let dir: TempDir;
const mounts = await mountable();

describe('a disk of eight mebibytes', mounts, () => {
  before(async () => {
    dir = await tempDir();
    await run('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'none', dir.path]);
  });
  after(async () => {
    await run('umount', [dir.path]);
    await dir.remove();
  });

  const store = () => openStore({ type: 'local', name: 'disk', path: dir.path });
  const failsWith = (code: FailureCode) => (error: unknown) => {
    assert.ok(isFailure(error, code), String(error));
    assert.match(error.message, /^disk: /);
    assert.ok(error.hint);
    return true;
  };

  test('an object that does not fit is refused as full, leaves nothing, and what is there stays', async () => {
    const kept = randomBytes(3 * MIB);
    await store().put('data/aa/kept', kept);
    await assert.rejects(
      store().put('data/aa/large', [randomBytes(4 * MIB), randomBytes(4 * MIB)]),
      failsWith('storage_full'),
    );
    assert.deepEqual(await readdir(dir.join('data/aa')), ['kept']);
    assert.ok(kept.equals(await store().get('data/aa/kept')));
  });

  test('once there is room again the same put succeeds', async () => {
    const bytes = randomBytes(6 * MIB);
    await assert.rejects(store().put('data/aa/next', bytes), failsWith('storage_full'));
    await store().delete('data/aa/kept');
    await store().put('data/aa/next', bytes);
    assert.ok(bytes.equals(await store().get('data/aa/next')));
  });

  test('mounted read-only it is refused for writing and still read', async () => {
    await store().put('config', Buffer.from('x'));
    await run('mount', ['-o', 'remount,ro', dir.path]);
    await assert.rejects(store().put('config', Buffer.from('y')), failsWith('storage_refused'));
    await assert.rejects(store().delete('config'), failsWith('storage_refused'));
    assert.equal(Buffer.from(await store().get('config')).toString(), 'x');
  });
});
