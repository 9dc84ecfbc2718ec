/** The table of mounts: which one a path lies on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountPointOf, mountPoints } from './mount-table.ts';

const TABLE = `22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
31 22 0:27 / /mnt/nas rw,relatime - nfs nas:/x rw
32 31 0:28 / /mnt/nas/a\\040b rw - tmpfs none rw
`;

test('a path lies on the longest mount point above it', () => {
  const points = mountPoints(TABLE);
  assert.deepEqual([...points], ['/', '/mnt/nas', '/mnt/nas/a b']);
  assert.equal(mountPointOf('/mnt/nas', points), '/mnt/nas');
  assert.equal(mountPointOf('/mnt/nas/holdfast', points), '/mnt/nas');
  assert.equal(mountPointOf('/mnt/nas/a b/x', points), '/mnt/nas/a b');
  assert.equal(mountPointOf('/mnt/nas2', points), '/');
  assert.equal(mountPointOf('/mnt/nas', mountPoints('')), undefined);
});
