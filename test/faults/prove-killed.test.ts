/** A proof that is killed while the copy runs leaves nothing: no server, no directory, no command of the app; and proves nothing. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { backupApp } from '../integration/fixtures/backup-app.ts';
import { HOLDFAST } from '../support/holdfast.ts';
import { MAJORS } from '../support/postgres/each-major.ts';
import { startPostgres } from '../support/postgres/server.ts';
import { killGroup } from '../support/run.ts';
import { until } from '../support/until.ts';

const newest = MAJORS.at(-1)!;
const CASES = [
  ...MAJORS.map((major) => ({ signal: 'SIGKILL', major }) as const),
  { signal: 'SIGINT', major: newest } as const,
];

for (const { signal, major } of CASES) {
  test(`PostgreSQL ${major}: ${signal} while the copy runs leaves nothing of it`, async () => {
    await using pg = await startPostgres({ major });
    const mark = `copy-${process.pid}-${signal}-${major}`;
    await using app = await backupApp({
      databaseUrl: pg.url(),
      local: ['a'],
      here: true,
      app: { proof: { commands: [['sh', '-c', `echo $$ > ${mark}; exec sleep 600`]] } },
    });
    await app.backUp();
    const copies = app.dir.join('copies');
    await mkdir(copies, { mode: 0o755 });
    const child = spawn(HOLDFAST, ['--config', app.configFile, 'prove', '--directory', copies], {
      stdio: 'ignore',
      detached: true,
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    try {
      await until(() => existsSync(app.dir.join(mark)) && readFileSync(app.dir.join(mark), 'utf8').endsWith('\n'));
      const command = Number(await readFile(app.dir.join(mark), 'utf8'));
      assert.ok(isAlive(command));
      assert.ok(runningOn(copies).length > 0, 'a server runs on the copy');
      child.kill(signal);
      await ended;
      await until(() => readdirSync(copies).length === 0 && runningOn(copies).length === 0 && !isAlive(command));
    } finally {
      killGroup(child.pid);
    }
    const points = (await app.ok(['points', '--json'])).document<{ proof: string }[]>();
    assert.deepEqual(
      points,
      points.map((point) => ({ ...point, proof: 'stored' })),
    );
    assert.deepEqual((await app.ok(['proofs', '--json'])).document(), []);
  });
}

/** Zombies count as gone. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Processes whose command line names the directory, other than the program itself. */
function runningOn(directory: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return line.includes(directory) && line.includes('postgres') && isAlive(pid);
      } catch {
        return false;
      }
    });
}
