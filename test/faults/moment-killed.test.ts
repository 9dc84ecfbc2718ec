/** kill -9 while a moment is being recovered, and while a sandbox runs: nothing goes on running, nothing starts half-recovered. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BackupApp, backupApp } from '../integration/fixtures/backup-app.ts';
import { rowsIn } from '../integration/fixtures/moment-world.ts';
import { localStore, open } from '../support/care.ts';
import { HOLDFAST } from '../support/holdfast.ts';
import { archiveLog, commitRows, KNOWING } from '../support/postgres/moments.ts';
import { majors, startPostgres } from '../support/postgres/server.ts';
import { killGroup } from '../support/run.ts';

const newest = (await majors()).at(-1)!;

test('kill -9 while the log is replayed: the server stops, there is no directory that could be started, the same command completes', async () => {
  await using pg = await startPostgres({ major: newest, settings: KNOWING });
  // so slow that the replay waits for its log, and is met by whoever looks now and then
  const storages = { a: { downloadLimit: '2MiB' } };
  await using app = await backupApp({ databaseUrl: pg.url(), local: ['a'], storages });
  await app.backUp();
  await pg.sql('create table bulk as select g, repeat(md5(g::text), 10) as body from generate_series(1, 100000) g');
  await commitRows(pg, 1, 2);
  const repository = await open([localStore(app.dir, 'a')]);
  await archiveLog(repository, pg);
  await repository.close();

  const target = app.dir.join('out');
  const data = join(target, 'database');
  const command = ['restore', '--at', 'latest', '--source', 'database', '--to', target, '--quiet'];
  const child = start(app, command);
  const beside = () =>
    (existsSync(target) ? readdirSync(target) : []).find((name) => name.startsWith('.holdfast-recovery-')) ?? 'none';
  await until('the log is about to be replayed', child, () => existsSync(join(target, beside())));
  const recovering = join(target, beside(), 'database');
  const pidFile = join(recovering, 'postmaster.pid');
  await until('a server runs on the copy', child, () => existsSync(pidFile) && serverPid(pidFile) > 0);
  const server = serverPid(pidFile);
  assert.match(await readFile(join(recovering, 'recovery.signal'), 'utf8'), /did not end/);
  assert.match(await readFile(join(recovering, 'postgresql.auto.conf'), 'utf8'), /^archive_mode = 'off'$/m);
  assert.ok(!existsSync(data), 'the directory comes to its place when it is whole, and on the disk');
  killGroup(child.pid);
  await once(child, 'close');
  await until('the server is gone', undefined, () => !isRunning(server));
  assert.ok(!existsSync(data), 'what it worked on may stay beside it, when the server had done its part');
  await app.ok(command);
  assert.equal(beside(), 'none', 'the next run cleared what it left');
  await using restored = await startPostgres({ major: newest, dataDir: data });
  assert.deepEqual(await rowsIn(restored.url()), [1, 2]);
  assert.deepEqual(await restored.sql('select count(*)::int as n from bulk'), [{ n: 100000 }]);
});

test('a sandbox that is interrupted, or killed with -9: its server stops, its directory goes', async () => {
  await using pg = await startPostgres({ major: newest, settings: KNOWING });
  await using app = await backupApp({ databaseUrl: pg.url(), local: ['a'] });
  await writeFile(join(app.media, 'photo'), 'of the point');
  const { short_id: point } = await app.backUp();
  const directory = app.dir.join('sandboxes');
  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    const child = start(app, ['sandbox', '--at', point, '--with-files', '--json', '--directory', directory]);
    let said = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await until('the sandbox is ready', child, () => /"state":"ready"/.test(said));
    const [name] = await readdir(directory);
    const restored = join(directory, name!, 'restored');
    assert.equal(await readFile(join(restored, 'media', 'photo'), 'utf8'), 'of the point');
    const server = serverPid(join(restored, 'database', 'postmaster.pid'));
    assert.ok(isRunning(server));
    killGroup(child.pid, signal);
    await once(child, 'close');
    if (signal === 'SIGINT') {
      assert.match(said, /"ended":"interrupted"/);
      assert.deepEqual([child.exitCode, isRunning(server), await readdir(directory)], [0, false, []]);
    }
    await until('the server is gone', undefined, () => !isRunning(server));
    await until('its files are gone', undefined, async () => (await readdir(directory)).length === 0);
  }
});

function start(app: BackupApp, args: readonly string[]): ChildProcess {
  const stdio = ['ignore', 'pipe', 'ignore'] as const;
  return spawn(HOLDFAST, ['--config', app.configFile, ...args], { detached: true, stdio: [...stdio] });
}

async function until(
  what: string,
  child: ChildProcess | undefined,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  for (let turn = 0; turn < 30_000; turn++) {
    if (await holds()) return;
    if (child !== undefined && child.exitCode !== null) throw new Error(`${what}: it ended with ${child.exitCode}`);
    await sleep(10);
  }
  throw new Error(`${what}: waited five minutes`);
}

function serverPid(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8').split('\n')[0]);
  } catch {
    return 0;
  }
}

/** A zombie that nobody waits for runs no more. */
function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z';
  } catch {
    return false;
  }
}
