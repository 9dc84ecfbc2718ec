/** A backup that is ended at any moment: nothing half is visible, nothing earlier is lost, the next one completes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { check } from '../../src/operations/check.ts';
import { type BackupApp, backupApp, fillMedia, objectsOf } from '../integration/fixtures/backup-app.ts';
import { describeTree } from '../integration/fixtures/backup-compare.ts';
import { localStore, openSession } from '../support/care.ts';
import { HOLDFAST, type JsonLine, jsonLines } from '../support/holdfast.ts';
import { need } from '../support/needs.ts';
import { killGroup } from '../support/run.ts';
import { tempDir } from '../support/temp.ts';

const restic = await need('restic');
const KILLS = 16;
const MIB = 1024 * 1024;

/** Numbers in [0, 1) that depend on the seed only (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Starts a backup and sends `signal` when `moment` resolves, if it still runs. */
async function endAt(app: BackupApp, signal: NodeJS.Signals, moment: (isOver: () => boolean) => Promise<unknown>) {
  const child = spawn(HOLDFAST, ['--config', app.configFile, 'backup', '--json'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  await moment(() => child.exitCode !== null || child.signalCode !== null);
  if (signal === 'SIGKILL') killGroup(child.pid);
  else child.kill(signal);
  const [code] = await ended;
  return { code, stdout, error: jsonLines(stderr).at(-1) as JsonLine | undefined };
}

/** Whatever the storages show is whole: every blob of every visible point is there, decrypts and hashes. */
async function assertWhole(app: BackupApp): Promise<void> {
  const session = await openSession(['a', 'b'].map((name) => localStore(app.dir, name)));
  assert.deepEqual((await check(session, { readData: true })).findings, []);
}

test('killed at many moments, it leaves only whole points, and the next backup completes', {
  skip: restic.skip,
}, async () => {
  const seed = Number(process.env.HOLDFAST_TEST_SEED ?? Date.now() % 1_000_000);
  console.log(`seed ${seed} (HOLDFAST_TEST_SEED repeats it)`);
  const random = randomFrom(seed);
  await using app = await backupApp();
  await fillMedia(app.media);
  await app.backUp();
  const first = await describeTree(app.media);
  const started = performance.now();
  await writeFile(join(app.media, 'fresh-0'), randomBytes(6 * MIB));
  await app.backUp();
  const whole = performance.now() - started;
  let visible = 2;
  for (let i = 1; i <= KILLS; i++) {
    await writeFile(join(app.media, `fresh-${i % 4}`), randomBytes(6 * MIB));
    await endAt(app, 'SIGKILL', () => sleep(200 + random() * whole));
    if (i % 8 === 0) await assertWhole(app);
    const points = (await objectsOf(app.dir.join('a', 'snapshots'))).length;
    assert.ok(points >= visible, 'no point was lost');
    visible = points;
  }
  const { storages, point } = await app.backUp([], 0, 3); // a kill between two snapshots leaves one storage behind
  assert.ok(Object.values(storages).every((state) => state === 'complete' || state === 'behind'));
  assert.ok(Object.values(storages).includes('complete'));
  await assertWhole(app);
  await app.assertWhole();
  await using target = await tempDir();
  const holder = storages.a === 'complete' ? 'a' : 'b';
  await app.restic(holder).restore(point, target.join('new'));
  assert.deepEqual(await describeTree(target.join('new', 'clinic', 'media')), await describeTree(app.media));
  const [oldest] = await app.restic('a').snapshots();
  await app.restic('a').restore(oldest!.id, target.join('old'));
  assert.deepEqual(await describeTree(target.join('old', 'clinic', 'media')), first);
});

test('interrupted once, it ends with 130, says what it leaves, and the next run need not store it again', async () => {
  await using app = await backupApp({
    storages: { a: { uploadLimit: '4MiB' }, b: { uploadLimit: '4MiB' } },
    app: { hooks: { afterBackup: ['touch', 'after-ran'] } },
  });
  const size = 48 * MIB;
  await writeFile(join(app.media, 'large'), randomBytes(size));
  const packsOf = async () => (await objectsOf(app.dir.join('a', 'data'))).length;
  const { code, error } = await endAt(app, 'SIGINT', async (isOver) => {
    while ((await packsOf()) < 3 && !isOver()) await sleep(20);
  });
  assert.equal(code, 130);
  assert.equal(error?.error, 'interrupted');
  assert.match(String(error?.message), /No restore point was made/);
  assert.match(String(error?.hint), /uses what is stored already/);
  assert.deepEqual((await app.ok(['points', '--json'])).document(), []);
  assert.deepEqual(await objectsOf(app.dir.join('a', 'locks')), [], 'no lock stays');
  await access(app.dir.join('after-ran'));
  await assertWhole(app);
  assert.ok((await objectsOf(app.dir.join('a', 'index'))).length > 0, 'what is stored is indexed');
  await writeFile(
    app.configFile,
    (await readFile(app.configFile, 'utf8')).replaceAll('uploadLimit: 4MiB', 'uploadLimit: 1GiB'),
  );
  const { bytes_added } = await app.backUp();
  assert.ok(bytes_added < size - 2 * MIB, `${bytes_added} bytes were stored again`);
  await app.assertWhole();
});
