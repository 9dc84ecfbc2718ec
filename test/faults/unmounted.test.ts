/** A storage whose disk or share is not mounted: its empty directory is not taken for a storage that was wiped. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { backupApp } from '../integration/fixtures/backup-app.ts';
import { mountAt, mountable } from '../support/mounts.ts';
import { wipe } from '../support/spoil.ts';

test(
  'it is neither filled nor initialised until it is mounted again, or said to lie elsewhere now',
  await mountable(),
  async () => {
    await using app = await backupApp();
    const disk = app.dir.join('b');
    await wipe(disk);
    {
      await using mounted = await mountAt(disk, 'size=64m');
      void mounted;
      await app.ok(['sync']);
      await app.backUp();
    }

    const refused = await app.run(['sync', '--json']);
    assert.equal(refused.code, 3);
    const { failures } = refused.summary as {
      failures: Record<string, { error: string; message: string; hint: string }>;
    };
    assert.equal(failures.b?.error, 'storage_missing');
    assert.match(String(failures.b?.message), /nothing is mounted at .*\/b, where/);
    const init = await app.run(['init', '--json']);
    assert.equal(init.code, 3);
    assert.match(init.stdout, /"b":\{"error":"storage_missing"/);
    assert.equal(init.lines.at(-1)?.message_type, 'summary', 'what is told besides comes before it');
    assert.deepEqual(await readdir(disk), [], 'nothing is written below the mount point');

    await app.ok(['sync', '--moved']);
    assert.match((await app.ok(['sync'])).stdout, /^b: level, nothing to do\.$/m);
    await app.assertWhole();
  },
);
