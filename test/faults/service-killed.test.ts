/** Two schedulers and four workers over one PostgreSQL, each killed in turn: what was asked for is done, and nothing twice. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/base/clock.ts';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { listRuns, OVER, type Run } from '../../src/catalog/runs.ts';
import { enqueue } from '../../src/scheduler/enqueue.ts';
import { reconcile } from '../../src/scheduler/reconcile.ts';
import { startPostgres } from '../support/postgres/server.ts';
import { tempDir } from '../support/temp.ts';
import { hourly } from './fixtures/scheduler-part.ts';

const PART = fileURLToPath(new URL('fixtures/scheduler-part.ts', import.meta.url));
const APPS = Array.from({ length: 6 }, (_, n) => `app${n}`);
const ASKED_PER_APP = 4;
const RUNS = APPS.length * (ASKED_PER_APP + 1);

test('schedulers and workers that are killed one after the other lose nothing and do nothing twice', async () => {
  await using directory = await tempDir({ prefix: 'hf-killed' });
  await using server = await startPostgres({ major: 17 });
  const points = directory.join('points');
  await mkdir(points);
  await using catalog = await openCatalog({ url: server.url({}) });
  const now = systemClock.now();
  await reconcile(catalog, APPS.map(hourly), now);
  await catalog.db
    .updateTable('schedules')
    .set({ evaluated_until: now - 3_600_000, next_at: now - 1 })
    .execute();
  for (const app of APPS)
    for (let n = 0; n < ASKED_PER_APP; n++)
      await enqueue(catalog.db, { app, kind: 'backup', trigger: 'api', retries: 20 }, now);

  const start = (role: string) =>
    spawn(process.execPath, [PART, role, server.url({}), points, APPS.join(',')], { stdio: 'inherit' });
  const parts = ['serve', 'serve', 'worker', 'worker', 'worker', 'worker'].map((role) => ({
    role,
    process: start(role),
  }));
  try {
    for (const part of [2, 0, 3, 1, 4, 5].map((at) => parts[at]!)) {
      const before = (await readdir(points)).length;
      await until(async () => (await readdir(points)).length > before || (await allOver()) !== undefined);
      await killed(part.process);
      part.process = start(part.role);
    }
    const runs = await until(allOver);
    assert.deepEqual(
      runs.filter(({ state }) => state !== 'succeeded').map(({ state, error }) => ({ state, error })),
      [],
    );
    const made = (await readdir(points)).map((name) => name.split('.')[0]);
    assert.deepEqual(made.sort(), runs.map(({ id }) => id).sort(), 'every run did its work, once');
    assert.equal(runs.filter(({ scheduleId }) => scheduleId !== undefined).length, APPS.length, 'what was due, once');
  } finally {
    await Promise.all(parts.map(({ process: each }) => killed(each)));
  }

  async function allOver(): Promise<Run[] | undefined> {
    const { runs } = await listRuns(catalog.db, { limit: 1_000 });
    return runs.length === RUNS && runs.every(({ state }) => OVER.includes(state)) ? runs : undefined;
  }
});

async function until<T>(look: () => Promise<T>): Promise<NonNullable<T>> {
  for (;;) {
    const found = await look();
    if (found) return found;
    await setTimeout(100);
  }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
