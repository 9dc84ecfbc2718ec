/**
 * A current restic, beside the distribution's that judges everywhere else: where one was built before it judges here too. Nothing is built or
 * downloaded for this test; see CONTRIBUTING.md for how to have one.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { check } from '../../src/operations/check.ts';
import { prune } from '../../src/operations/prune.ts';
import { backupApp, fillMedia } from '../integration/fixtures/backup-app.ts';
import { assertSameTree, treeOf } from '../integration/fixtures/restore-run.ts';
import { localStore, openSession, PASSWORD } from '../support/care.ts';
import { Restic, toolsDirectory } from '../support/restic.ts';
import { tempDir } from '../support/temp.ts';

const binary = join(toolsDirectory(), 'bin', 'restic');
const skip = existsSync(binary)
  ? false
  : 'no newer restic was built here: HOLDFAST_BUILD_TOOLS=1 builds one for benchmarks';

test('a newer restic checks, lists, restores and prunes what we made', { skip }, async () => {
  await using app = await backupApp({ local: ['a'] });
  await fillMedia(app.media);
  const text = Buffer.alloc(3_000_000, 'a line of a log that compresses well\n');
  await writeFile(`${app.media}/log`, text);
  await app.backUp();
  const restic = new Restic(app.dir.join('a'), PASSWORD, { binary });
  await restic.check();
  const [snapshot] = await restic.snapshots();
  const target = app.dir.join('by-restic');
  await restic.restore(snapshot!.id, target);
  assert.deepEqual(await readFile(`${target}/clinic/media/log`), text);
  assertSameTree(await treeOf(`${target}/clinic/media`), await treeOf(app.media));
  await rm(`${app.media}/log`);
  await app.backUp();
  await restic.ok('forget', '--keep-last', '1', '--prune', '--max-unused', '0');
  await restic.check();
  await app.ok(['check', '--read-data']);
});

test('we check and prune what a newer restic made', { skip }, async () => {
  await using dir = await tempDir();
  const restic = new Restic(dir.join('a'), PASSWORD, { binary });
  await restic.init();
  const source = dir.join('source');
  await mkdir(source);
  for (let i = 0; i < 6; i++) await writeFile(`${source}/${i}`, randomBytes(700_000));
  await restic.backup([source]);
  await writeFile(`${source}/0`, randomBytes(700_000));
  await restic.backup([source]);
  const stores = [localStore(dir, 'a')];
  assert.deepEqual((await check(await openSession(stores), { readData: true })).findings, []);
  await restic.ok('forget', '--keep-last', '1');
  assert.equal((await prune(await openSession(stores), { apps: [] })).failures.size, 0);
  await restic.check();
});
