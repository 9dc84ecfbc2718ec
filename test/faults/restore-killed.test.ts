/** A restore that is killed at any moment: nothing that is there is believed unseen, nothing that is right is fetched again. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { link, mkdir, open, stat, symlink, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RestoreOutcome } from '../../src/operations/restore.ts';
import { type BackupApp, backupApp } from '../integration/fixtures/backup-app.ts';
import { assertSameTree, treeOf } from '../integration/fixtures/restore-run.ts';
import { HOLDFAST } from '../support/holdfast.ts';
import { killGroup } from '../support/run.ts';

const MIB = 1024 * 1024;
const KILLS = 8;

async function fill(media: string): Promise<void> {
  await mkdir(`${media}/small`);
  for (let i = 0; i < 8; i++) await writeFile(`${media}/large-${i}`, randomBytes(6 * MIB));
  for (let i = 0; i < 400; i++) await writeFile(`${media}/small/${i}`, randomBytes(3000));
  await link(`${media}/large-0`, `${media}/large-too`);
  await symlink('large-0', `${media}/pointer`);
}

/** Starts a restore and kills it once `bytes` of content stand in the target, if it still runs then. Returns whether it was killed. */
async function killAfter(app: BackupApp, target: string, bytes: number): Promise<boolean> {
  const child = spawn(HOLDFAST, ['--config', app.configFile, 'restore', 'latest', '--to', target, '--quiet'], {
    detached: true,
    stdio: 'ignore',
  });
  const ended = once(child, 'close');
  const isOver = () => child.exitCode !== null || child.signalCode !== null;
  while (!isOver() && (await written(target)) < bytes) await sleep(2);
  killGroup(child.pid);
  await ended;
  return child.signalCode === 'SIGKILL';
}

async function written(target: string): Promise<number> {
  let sum = 0;
  for (let i = 0; i < 8; i++) {
    const stats = await stat(`${target}/media/large-${i}`).catch(() => undefined);
    sum += (stats?.blocks ?? 0) * 512;
  }
  return sum;
}

/** So slow that whoever looks now and then sees it at work, on any machine. */
const SLOWLY = { a: { downloadLimit: '16MiB' } };

test('killed again and again, the restore ends right, and fetches no more than what was missing', async () => {
  await using app = await backupApp({ local: ['a'], storages: SLOWLY });
  await fill(app.media);
  await app.backUp();
  const target = app.dir.join('out');
  let kills = 0;
  for (let i = 1; i <= KILLS; i++) if (await killAfter(app, target, (i / (KILLS + 1)) * 48 * MIB)) kills++;
  assert.ok(kills > 0);
  const { summary } = await app.ok(['restore', 'latest', '--to', target, '--json']);
  const outcome = summary as unknown as RestoreOutcome;
  assertSameTree(await treeOf(`${target}/media`), await treeOf(app.media));
  assert.ok(outcome.bytes_kept > 20 * MIB, `kept ${outcome.bytes_kept}`);
  const fetched = outcome.bytes_fetched.a ?? 0;
  assert.ok(fetched < outcome.bytes - outcome.bytes_kept + 6 * MIB, `fetched ${fetched}, kept ${outcome.bytes_kept}`);
});

test('what an earlier run left is believed only when it hashes: bytes changed meanwhile are fetched again', async () => {
  await using app = await backupApp({ local: ['a'], storages: SLOWLY });
  await fill(app.media);
  await app.backUp();
  const target = app.dir.join('out');
  assert.ok(await killAfter(app, target, 24 * MIB), 'it was over before it could be killed');
  const whole = await firstWritten(target);
  const file = await open(`${target}/media/${whole}`, 'r+');
  await file.write(Buffer.from('tampered'), 0, 8, 4096);
  await file.close();
  await app.ok(['restore', 'latest', '--to', target, '--quiet']);
  assertSameTree(await treeOf(`${target}/media`), await treeOf(app.media));
});

async function firstWritten(target: string): Promise<string> {
  for (let i = 0; i < 8; i++) {
    const stats = await stat(`${target}/media/large-${i}`).catch(() => undefined);
    if ((stats?.blocks ?? 0) > 0) return `large-${i}`;
  }
  throw new Error('nothing was written');
}
