/** Real processes of init, sync and prune, killed (SIGKILL) at random moments: afterwards everything is whole and the work can be completed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { init, localStore, PASSWORD } from '../support/care.ts';
import { HOLDFAST, holdfastOk, writeConfig } from '../support/holdfast.ts';
import { need } from '../support/needs.ts';
import { Restic } from '../support/restic.ts';
import { killGroup } from '../support/run.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

const restic = await need('restic');
const KILLS = 2;
const STORAGES = ['a', 'b'];

async function world(dir: TempDir) {
  await mkdir(dir.join('media'));
  const config = await writeConfig(dir.path, {
    repository: { password: PASSWORD, packSize: '4MiB' },
    storages: Object.fromEntries(STORAGES.map((name) => [name, { type: 'local', path: name }])),
    apps: { clinic: { sources: { media: { type: 'files', path: 'media' } }, retention: { last: 2 } } },
  });
  return ['--config', config];
}

async function backUp(dir: TempDir, config: readonly string[]): Promise<void> {
  for (let i = 0; i < 4; i++) await writeFile(dir.join('media', `file-${i}`), randomBytes(1_500_000));
  await holdfastOk([...config, 'backup']);
}

/** Runs the command and kills it after a random part of `typicalMs`. */
async function killed(args: readonly string[], typicalMs: number): Promise<void> {
  const child = spawn(HOLDFAST, args, { detached: true, stdio: 'ignore' });
  const ended = once(child, 'close');
  await Promise.race([sleep(150 + Math.random() * typicalMs), ended]);
  killGroup(child.pid);
  await ended;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function assertWhole(dir: TempDir, config: readonly string[]): Promise<void> {
  await holdfastOk([...config, 'check', '--read-data']);
  for (const name of restic.skip ? [] : STORAGES) await new Restic(dir.join(name), PASSWORD).check();
}

test('init killed again and again ends with one repository', async () => {
  await using dir = await tempDir();
  const config = await world(dir);
  const typical = await timed(() => holdfastOk([...config, 'init']));
  for (let i = 0; i < KILLS; i++) {
    for (const name of STORAGES) await rm(dir.join(name), { recursive: true, force: true });
    await killed([...config, 'init'], typical);
    await holdfastOk([...config, 'init']);
  }
  await backUp(dir, config);
  await assertWhole(dir, config);
});

test('prune killed again and again keeps what it should and is completed in the end', async () => {
  await using dir = await tempDir();
  const config = await world(dir);
  await init([localStore(dir, 'a'), localStore(dir, 'b')]);
  for (let i = 0; i < 2; i++) await backUp(dir, config);
  const typical = await timed(() => holdfastOk([...config, 'prune', '--dry-run']));
  for (let i = 0; i < KILLS; i++) {
    await backUp(dir, config);
    await killed([...config, 'prune'], typical);
  }
  await holdfastOk([...config, 'prune']);
  const points = (await holdfastOk([...config, 'points', '--json'])).document<{ storages: string[] }[]>();
  assert.deepEqual(
    points.map(({ storages }) => storages),
    [STORAGES, STORAGES],
  );
  await assertWhole(dir, config);
});

test('sync killed again and again rebuilds a wiped storage in the end', async () => {
  await using dir = await tempDir();
  const config = await world(dir);
  await init([localStore(dir, 'a'), localStore(dir, 'b')]);
  await backUp(dir, config);
  await rm(dir.join('b'), { recursive: true });
  const typical = await timed(() => holdfastOk([...config, 'sync']));
  await rm(dir.join('b'), { recursive: true });
  for (let i = 0; i < KILLS; i++) await killed([...config, 'sync'], typical);
  await holdfastOk([...config, 'sync']);
  await assertWhole(dir, config);
});
