import assert from 'node:assert/strict';
import { type FileHandle, open } from 'node:fs/promises';
import { test } from 'node:test';
import { mountAt, mountable } from '../../../test/support/mounts.ts';
import { need } from '../../../test/support/needs.ts';
import { runOk } from '../../../test/support/run.ts';
import { tempDir } from '../../../test/support/temp.ts';
import { RoomReserver } from './reserve-room.ts';

const MIB = 1024 * 1024;
const mounts = await mountable();
const fallocate = await need('fallocate');

/** Size of the file, and the bytes that it takes on the disk. */
async function extent(file: FileHandle): Promise<{ size: number; taken: number }> {
  const { size, blocks } = await file.stat();
  return { size, taken: blocks * 512 };
}

test('a file has its room before it is written, whatever it is called', fallocate, async () => {
  await using dir = await tempDir();
  await using file = await open(dir.join('-x "\n*'), 'wx');
  new RoomReserver().reserve(file.fd, 3 * MIB);
  const { size, taken } = await extent(file);
  assert.equal(size, 3 * MIB);
  assert.ok(taken >= 3 * MIB, `${taken} bytes`);
});

test('a disk without that room says so', { skip: fallocate.skip || mounts.skip }, async () => {
  await using dir = await tempDir();
  await using _disk = await mountAt(dir.join('disk'), 'size=2m');
  await using file = await open(dir.join('disk', 'large'), 'wx');
  assert.throws(() => new RoomReserver().reserve(file.fd, 3 * MIB), { code: 'ENOSPC' });
});

test('without the program, or where the file system cannot, nothing happens', mounts, async () => {
  await using dir = await tempDir();
  await runOk('mount', ['-t', 'ramfs', 'none', dir.path]);
  try {
    await using file = await open(dir.join('file'), 'wx');
    new RoomReserver('a-program-that-is-nowhere').reserve(file.fd, MIB);
    new RoomReserver().reserve(file.fd, MIB);
    assert.deepEqual(await extent(file), { size: 0, taken: 0 });
  } finally {
    await runOk('umount', [dir.path]);
  }
});
