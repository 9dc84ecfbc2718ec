import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { manualClock } from '../base/testing/manual-clock.ts';
import { type Catalog, openCatalog } from '../catalog/catalog.ts';
import { claimRun, finishRun } from '../catalog/claim.ts';
import { listRuns } from '../catalog/runs.ts';
import { listSchedules } from '../catalog/schedules.ts';
import type { AppPlan, ScheduleSettings } from '../config/schedule-settings.ts';
import { declaredSchedules } from './declared.ts';
import { Ticker } from './ticker.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 5, 1);

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hf-ticker-'));
});
after(() => rm(directory, { recursive: true }));

let made = 0;
const open = () => openCatalog({ path: join(directory, `${++made}.sqlite`) });

function plan(...schedules: (Partial<ScheduleSettings> & Pick<ScheduleSettings, 'name' | 'run'>)[]): AppPlan {
  const base = { params: {}, jitterMs: 0, catchUp: true, blackout: [], retries: 1, priority: 0, enabled: true };
  return { app: 'clinic', labels: { site: 'north' }, schedules: schedules.map((each) => ({ ...base, ...each })) };
}

function setup(catalog: Catalog, plans: () => AppPlan[], holder = 'one', clock = manualClock(START)) {
  const verification = { sample: 'off', readEveryMs: 1, afterBackup: true, heal: true } as const;
  const declared = async () => declaredSchedules({ plans: plans(), verification, storages: ['a'], timezone: 'UTC' });
  const onProblem = (message: string, cause: unknown) => {
    throw new Error(message, { cause });
  };
  return { clock, ticker: new Ticker({ catalog, clock, holder, declared, onProblem }) };
}

const told = async (catalog: Catalog) =>
  (await listRuns(catalog.db, { limit: 100 })).runs.map(
    ({ kind, state, reason }) => `${kind} ${state}${reason ? `: ${reason}` : ''}`,
  );

test('what follows a backup waits from the beginning, starts when it succeeded, and is skipped with the reason when it failed', async () => {
  await using catalog = await open();
  const { clock, ticker } = setup(catalog, () => [
    plan({ name: 'prove', run: 'prove', after: 'backup' }, { name: 'backup', run: 'backup', every: 'daily' }),
  ]);
  const worker = { id: 'w', labels: { site: 'north' } };
  await ticker.tick();
  await clock.advance(2 * HOUR);
  await ticker.tick();
  assert.deepEqual(await told(catalog), ['prove waiting', 'backup queued']);
  const first = (await claimRun(catalog, worker, clock.now(), HOUR))!;
  await finishRun(catalog.db, first, { state: 'succeeded' }, clock.now());
  assert.deepEqual(await told(catalog), ['prove queued', 'backup succeeded']);
  const proof = (await claimRun(catalog, worker, clock.now(), HOUR))!;
  await finishRun(catalog.db, proof, { state: 'succeeded' }, clock.now());
  await clock.advance(24 * HOUR);
  await ticker.tick();
  const second = (await claimRun(catalog, worker, clock.now(), HOUR))!;
  await finishRun(catalog.db, second, { state: 'failed' }, clock.now());
  assert.match((await told(catalog))[0]!, /^prove skipped: The backup that must come first/);
});

test('both due at one time: the follower waits for the run of this time, not for the one before', async () => {
  await using catalog = await open();
  const { clock, ticker } = setup(catalog, () => [
    plan(
      { name: 'check', run: 'check', every: 'hourly', after: 'backup' },
      { name: 'backup', run: 'backup', every: 'hourly' },
    ),
  ]);
  await ticker.tick();
  await clock.advance(HOUR);
  await ticker.tick();
  const { runs } = await listRuns(catalog.db, { limit: 10 });
  assert.deepEqual(
    runs.map(({ kind, state }) => `${kind} ${state}`),
    ['check waiting', 'backup queued'],
  );
  assert.equal(runs[0]?.afterRun, runs[1]?.id);
});

test('while a run has not begun, the next is skipped with that reason', async () => {
  await using catalog = await open();
  const { clock, ticker } = setup(catalog, () => [plan({ name: 'backup', run: 'backup', every: 'hourly' })]);
  await ticker.tick();
  for (let n = 0; n < 2; n++) {
    await clock.advance(HOUR);
    await ticker.tick();
  }
  assert.deepEqual(await told(catalog), ['backup skipped: The run before it has not begun yet.', 'backup queued']);
});

test('of two schedulers one works; the other takes over when it is silent, and starts nothing twice', async () => {
  await using catalog = await open();
  const plans = () => [plan({ name: 'backup', run: 'backup', every: 'hourly' })];
  const { clock, ticker } = setup(catalog, plans);
  const other = setup(catalog, plans, 'two', clock).ticker;
  await ticker.tick();
  await clock.advance(HOUR);
  assert.equal((await ticker.tick()).length, 1);
  assert.equal((await other.tick()).length, 0);
  await clock.advance(60_000);
  assert.equal((await other.tick()).length, 0);
  assert.equal((await told(catalog)).length, 1);
});

test('the schedules of the file follow the file: new, changed, gone; what the file leaves as it is keeps its times', async () => {
  await using catalog = await open();
  let now = plan({ name: 'backup', run: 'backup', every: 'daily' }, { name: 'prune', run: 'prune', every: 'daily' });
  const { ticker } = setup(catalog, () => [now]);
  await ticker.tick();
  const before = await listSchedules(catalog.db);
  now = plan(
    { name: 'backup', run: 'backup', every: 'daily', priority: 3 },
    { name: 'check', run: 'check', every: 'daily' },
  );
  ticker.reload();
  await ticker.tick();
  const schedules = await listSchedules(catalog.db);
  assert.deepEqual(
    schedules.map(({ name, version }) => `${name} ${version}`),
    ['backup 2', 'check 1'],
  );
  assert.equal(schedules[0]?.id, before[0]?.id);
  assert.equal(schedules[0]?.nextAt, before[0]?.nextAt);
  ticker.reload();
  await ticker.tick();
  assert.deepEqual(await listSchedules(catalog.db), schedules, 'the same file again changes nothing');
});
