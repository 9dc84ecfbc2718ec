/** Runs side by side on one repository: ours with ours, ours with restic. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/base/clock.ts';
import { openRepository } from '../../src/repository/repository.ts';
import { holder, localStore, PASSWORD } from '../support/care.ts';
import { HOLDFAST } from '../support/holdfast.ts';
import { need } from '../support/needs.ts';
import { type BackupApp, backupApp, fillMedia, objectsOf } from './fixtures/backup-app.ts';

const restic = await need('restic');
const MIB = 1024 * 1024;

/** An exclusive lock on storage `a`, as another process of another machine holds it. */
async function lockedElsewhere(app: BackupApp) {
  const settings = { clock: systemClock, holder: { ...holder, hostname: 'elsewhere', system: 'another boot' } };
  const repository = await openRepository([localStore(app.dir, 'a')], PASSWORD, settings);
  return repository.lock(true);
}

/** A backup that takes long, once it holds its lock on `a`. */
async function longBackup(app: BackupApp) {
  const child = spawn(HOLDFAST, ['--config', app.configFile, 'backup', '--json'], { stdio: 'ignore' });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  while ((await objectsOf(app.dir.join('a', 'locks'))).length === 0 && child.exitCode === null) await sleep(20);
  return { child, ended };
}

test('two backups at the same time both succeed', { skip: restic.skip }, async () => {
  await using app = await backupApp();
  await fillMedia(app.media);
  const [one, two] = await Promise.all([app.backUp(), app.backUp()]);
  assert.notEqual(one.point, two.point);
  assert.equal((await app.ok(['points', '--json'])).document<unknown[]>().length, 2);
  await app.assertWhole();
});

test('while somebody holds the repository exclusively, a backup ends with 11 and names the holder', async () => {
  await using app = await backupApp();
  await using lock = await lockedElsewhere(app);
  void lock;
  const { code, error } = await app.run(['backup', '--json']);
  assert.equal(code, 11);
  assert.equal(error?.error, 'locked');
  assert.match(String(error?.message), /^a: .*elsewhere.*\(exclusive\)/);
  assert.deepEqual(await objectsOf(app.dir.join('b', 'locks')), []);
});

test('a backup keeps our prune and that of restic from removing, survives "restic unlock", and completes', {
  skip: restic.skip,
}, async () => {
  await using app = await backupApp({ local: ['a'], storages: { a: { uploadLimit: '4MiB' } } });
  await writeFile(join(app.media, 'large'), randomBytes(32 * MIB));
  const { child, ended } = await longBackup(app);
  child.kill('SIGSTOP'); // it lives, and does not end before we are done
  const own = await app.run(['prune', '--json']);
  assert.deepEqual([own.code, own.error?.error], [11, 'locked']);
  const prune = await app.restic('a').run('prune');
  assert.notEqual(prune.code, 0);
  assert.match(prune.stderr + prune.stdout, /locked/);
  await app.restic('a').ok('unlock');
  assert.ok((await objectsOf(app.dir.join('a', 'locks'))).length > 0, 'the lock of a living process stays');
  child.kill('SIGCONT');
  const [code] = await ended;
  assert.equal(code, 0);
  await app.assertWhole();
});

test('the lock of a backup that was killed is ignored by the next one and removed', async () => {
  await using app = await backupApp({ local: ['a'], storages: { a: { uploadLimit: '1MiB' } } });
  await writeFile(join(app.media, 'large'), randomBytes(24 * MIB));
  const { child, ended } = await longBackup(app);
  child.kill('SIGKILL');
  await ended;
  assert.equal((await objectsOf(app.dir.join('a', 'locks'))).length, 1);
  await writeFile(join(app.media, 'large'), 'small now');
  await app.backUp();
  assert.deepEqual(await objectsOf(app.dir.join('a', 'locks')), []);
});
