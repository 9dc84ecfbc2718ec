/** Rule by rule: raised by what really stands in the catalog, and over when it does not any more, with how long it lasted. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { AlertEngine, type AlertEngineDeps, channelWorld } from '../../src/alerts/engine.ts';
import { Sender } from '../../src/alerts/sender.ts';
import { formatDuration } from '../../src/base/durations.ts';
import { manualClock } from '../../src/base/testing/manual-clock.ts';
import { type Alert, listAlerts, raise, resolveAlert } from '../../src/catalog/alerts.ts';
import { noteAudit } from '../../src/catalog/audit-sight.ts';
import { type Catalog, type CatalogDb, openCatalog } from '../../src/catalog/catalog.ts';
import { claimRun, finishRun, type RunEnd } from '../../src/catalog/claim.ts';
import { takeLease } from '../../src/catalog/leases.ts';
import { measure } from '../../src/catalog/measurements.ts';
import { savePoint } from '../../src/catalog/points.ts';
import { createRun } from '../../src/catalog/runs.ts';
import { addSchedule, noteEvaluated } from '../../src/catalog/schedules.ts';
import { noteStorages, saveStatus } from '../../src/catalog/statuses.ts';
import { heartbeat } from '../../src/catalog/workers.ts';
import type { Configuration } from '../../src/config/configuration.ts';
import { afterRun } from '../../src/service/after-run.ts';
import { configurationWith } from '../support/alerts.ts';
import { type TempDir, tempDir } from '../support/temp.ts';
import { backupApp } from './fixtures/backup-app.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MIB = 1024 ** 2;
const signal = new AbortController().signal;

let directory: TempDir;
let configuration: Configuration;
before(async () => {
  directory = await tempDir();
  configuration = await configurationWith(' { rules: { entropy_jump: { least: 1 }, mass_change: { least: 10 } } }');
});
after(() => directory?.remove());

interface World extends AsyncDisposable {
  readonly catalog: Catalog;
  readonly db: CatalogDb;
  now(): number;
  /** Time goes on, and the engine looks at everything. */
  pass(ms?: number): Promise<void>;
  run(kind: string, end: RunEnd, app?: string): Promise<void>;
  alertOf(rule: string): Promise<Alert | undefined>;
}

let count = 0;
async function world(): Promise<World> {
  const clock = manualClock();
  const catalog = await openCatalog({ path: join(directory.path, `${++count}.sqlite`) });
  const deps: AlertEngineDeps = {
    ...{ catalog, clock, holder: 'a', source: 'here', random: () => 0.5 },
    policy: () => configuration.alerts(),
    deadMan: async () => undefined,
    channel: (name) => configuration.channel(name),
    apps: async () => [{ app: 'clinic', objectives: {} }],
    storages: () => ['local'],
    onProblem: (message, error) => assert.fail(`${message}: ${String(error)}`),
  };
  const engine = new AlertEngine(deps);
  const sender = new Sender({ ...deps, world: channelWorld(deps, signal) });
  const pass = async (ms = 2 * MINUTE) => {
    await clock.advance(ms);
    for (let round = 0; round < 2; round++) await engine.tick(sender, signal);
  };
  const verification = await configuration.verification();
  await pass();
  return {
    ...{ catalog, db: catalog.db, now: clock.now, pass },
    run: async (kind, end, app = 'clinic') => {
      await clock.advance(1000);
      await createRun(catalog.db, { app, kind, trigger: 'schedule' }, clock.now());
      const run = (await claimRun(catalog, { id: 'w', labels: {} }, clock.now(), MINUTE))!;
      await clock.advance(1000);
      await catalog.transaction(async (db) => {
        await finishRun(db, run, end, clock.now());
        await afterRun(db, { run, params: {}, end }, verification, clock.now());
        await db.deleteFrom('runs').where('state', '=', 'queued').execute(); // what follows is not wanted here
      });
    },
    alertOf: async (rule) => (await listAlerts(catalog.db, { rule, limit: 1 })).alerts[0],
    [Symbol.asyncDispose]: () => catalog[Symbol.asyncDispose](),
  };
}

interface Case {
  /** Brings about what is wrong; it may have passed some time already. */
  wrong(it: World): Promise<unknown>;
  mended(it: World): Promise<unknown>;
}

const failed: RunEnd = { state: 'failed', error: { code: 'storage_full', message: 'Full.' } };
const good: RunEnd = { state: 'succeeded' };
const runs = (kind: string, wrong: RunEnd, mended: RunEnd, app?: string): Case => ({
  wrong: (it) => it.run(kind, wrong, app),
  mended: (it) => it.run(kind, mended, app),
});
type Report = Readonly<Record<string, unknown>>;

const told = (wrong: Report, mended: Report): Case => ({
  wrong: (it) => saveStatus(it.db, 'clinic', wrong, it.now()),
  mended: (it) => saveStatus(it.db, 'clinic', mended, it.now()),
});
const wal = (seconds: number, gaps: readonly object[] = []) => ({
  wal: [{ source: 'database', mode: 'stream', loss: { seconds, because: 'told' }, gaps }],
});
const rpo = (actual: number, state: 'kept' | 'broken') => ({
  objectives: [{ objective: 'rpo', promised: 3600, actual, state, because: 'told' }],
});
const took = (seconds: number): RunEnd => ({ state: 'succeeded', outcome: { duration_s: seconds } });
const stored = (share: number): RunEnd => ({
  state: 'succeeded',
  outcome: { bytes_added: 100 * MIB, bytes_stored: share * 100 * MIB, sources: { media: { files_unmodified: 5 } } },
});
const files = (unmodified: number): RunEnd => ({
  state: 'succeeded',
  outcome: { sources: { media: { files_new: 0, files_changed: 0, files_unmodified: unmodified } } },
});
const filled = (used: number) => (it: World) =>
  measure(
    it.db,
    [
      { name: 'storage_used_bytes', storage: 'local', value: used },
      { name: 'storage_capacity_bytes', storage: 'local', value: 100 },
    ],
    it.now(),
  );
const seen = (state: 'good' | 'behind' | 'unreachable') => (it: World) =>
  noteStorages(it.db, [{ storage: 'local', state }], it.now());
const worker = { id: 'w', name: 'north', labels: {}, role: 'worker', version: '1' } as const;

let points = 0;
async function pointOf(it: World, bytes: number): Promise<void> {
  const id = (++points).toString(16).padStart(64, '0');
  const point = { id, app: 'clinic', time: it.now(), bytes, proof: 'stored', pinned: false, sources: [], storages: [] };
  await savePoint(it.db, point, it.now());
  await it.pass();
}

async function thrice(work: () => Promise<unknown>): Promise<void> {
  for (let time = 0; time < 3; time++) await work();
}

const CASES: Readonly<Record<string, Case>> = {
  backup_failure: runs('backup', failed, good),
  size_deviation: {
    wrong: (it) => thrice(() => pointOf(it, 100)).then(() => pointOf(it, 10)),
    mended: (it) => pointOf(it, 100),
  },
  duration: {
    wrong: (it) => thrice(() => it.run('backup', took(600))).then(() => it.run('backup', took(1300))),
    mended: (it) => it.run('backup', took(600)),
  },
  storage_capacity: { wrong: filled(90), mended: filled(10) },
  integrity_failure: runs('check', { state: 'failed', outcome: { findings: [{}] } }, good, '*'),
  restore_failure: runs('drill', failed, good),
  proof_failed: runs('prove', failed, { ...good, outcome: { outcome: 'passed' } }),
  proof_too_old: {
    wrong: (it) => it.run('prove', good).then(() => it.pass(41 * DAY)),
    mended: (it) => it.run('prove', good),
  },
  wal_lag: told(wal(600), wal(1)),
  wal_gap: told(wal(1, [{ from_lsn: '0/1', reason: 'slot lost' }]), wal(1)),
  objective_broken: told(rpo(4000, 'broken'), rpo(60, 'kept')),
  objective_at_risk: told(rpo(3000, 'kept'), rpo(60, 'kept')),
  missed_schedule: {
    wrong: async (it) => {
      const plan = { app: 'clinic', kind: 'check', name: 'nightly', params: {}, cron: '0 2 * * *', timezone: 'UTC' };
      const more = { jitterMs: 0, catchUp: true, blackout: [], priority: 0, retries: 0, labels: {} };
      const times = { evaluatedUntil: it.now() - HOUR, nextAt: it.now() - HOUR };
      await addSchedule(it.db, { ...plan, ...more, enabled: true, origin: 'api' }, times, it.now());
    },
    mended: async (it) => {
      const { id, evaluated_until } = await it.db.selectFrom('schedules').selectAll().executeTakeFirstOrThrow();
      await noteEvaluated(it.db, id, evaluated_until, { evaluatedUntil: it.now(), nextAt: it.now() + DAY });
    },
  },
  worker_lost: {
    wrong: (it) => heartbeat(it.db, worker, it.now()).then(() => it.pass(3 * MINUTE)),
    mended: (it) => heartbeat(it.db, worker, it.now() + 2 * MINUTE - 1000),
  },
  clock_skew: {
    wrong: (it) => heartbeat(it.db, worker, it.now() + 3 * MINUTE),
    mended: (it) => heartbeat(it.db, worker, it.now() + 2 * MINUTE),
  },
  storage_unreachable: { wrong: seen('unreachable'), mended: seen('good') },
  storage_behind: { wrong: seen('behind'), mended: seen('good') },
  retention_frozen: {
    wrong: async (it) => {
      const sign = { rule: 'entropy_jump', cause: 'e', severity: 'CRITICAL', app: 'clinic', title: 't' } as const;
      await raise(it.db, { ...sign, message: 'm', freezesRetention: true }, it.now());
      await it.pass(25 * HOUR);
    },
    mended: async (it) => resolveAlert(it.db, (await it.alertOf('entropy_jump'))!.id, { by: 'ann' }, it.now()),
  },
  scheduler_stalled: {
    wrong: (it) => takeLease(it.db, 'scheduler', 's', it.now(), 20_000).then(() => it.pass(6 * MINUTE)),
    mended: (it) => takeLease(it.db, 'scheduler', 's', it.now(), 20_000),
  },
  audit_broken: {
    wrong: (it) => noteAudit(it.db, 'It differs from entry 12 on.', it.now()),
    mended: (it) => noteAudit(it.db, undefined, it.now()),
  },
};

for (const [rule, { wrong, mended }] of Object.entries(CASES)) {
  test(`${rule}: raised, and over by itself with how long it lasted`, async () => {
    await using it = await world();
    await wrong(it);
    await it.pass();
    const raised = await it.alertOf(rule);
    assert.equal(raised?.state, 'ACTIVE', JSON.stringify(raised));
    await it.pass(10 * MINUTE);
    await mended(it);
    await it.pass();
    const over = await it.alertOf(rule);
    assert.deepEqual([over?.id, over?.state, over?.resolved?.by], [raised.id, 'RESOLVED', undefined]);
    const lasted = over!.resolved!.at - raised.firstAt;
    assert.ok(lasted >= 10 * MINUTE);
    assert.ok(
      over?.resolved?.note?.startsWith(`Gone by itself after ${formatDuration(lasted)}.`),
      over?.resolved?.note,
    );
  });
}

const BY_A_PERSON: Readonly<Record<string, readonly [usual: RunEnd, odd: RunEnd]>> = {
  entropy_jump: [stored(0.4), stored(0.99)],
  mass_change: [files(1000), files(100)],
};

for (const [rule, [usual, odd]] of Object.entries(BY_A_PERSON)) {
  test(`${rule}: raised, and not over before a person says so`, async () => {
    await using it = await world();
    await thrice(() => it.run('backup', usual));
    await it.run('backup', odd);
    await it.pass();
    const raised = (await it.alertOf(rule))!;
    assert.deepEqual([raised.state, raised.freezesRetention], ['ACTIVE', true]);
    await it.run('backup', usual);
    await it.pass(HOUR);
    assert.equal((await it.alertOf(rule))?.state, 'ACTIVE');
    await resolveAlert(it.db, raised.id, { by: 'ann', note: 'a new scanner' }, it.now());
    await it.pass();
    const over = await it.alertOf(rule);
    assert.deepEqual([over?.id, over?.state, over?.resolved?.by], [raised.id, 'RESOLVED', 'ann']);
  });
}

test('every rule is here, but for the one whose test sends messages', async () => {
  const { rules } = await configuration.alerts();
  const here = [...Object.keys(CASES), ...Object.keys(BY_A_PERSON), 'channel_failing'];
  assert.deepEqual(here.sort(), Object.keys(rules).sort());
});

test('real backups: an app that explodes, is encrypted, and loses most of its files is noticed at once, each in its way', async () => {
  await using app = await backupApp({ local: ['a'] });
  await using it = await world();
  const write = (name: string, bytes: Uint8Array | string) => writeFile(join(app.media, name), bytes);
  const backUp = async () => {
    await it.run('backup', { state: 'succeeded', outcome: { ...(await app.backUp()) } });
    await it.pass();
  };
  const active = async () =>
    (await listAlerts(it.db, { state: ['ACTIVE'], limit: 9 })).alerts.map(
      ({ rule, severity }) => `${rule} ${severity}`,
    );
  for (let at = 0; at < 40; at++) await write(`letter ${at}`, `letter ${at}\n`.repeat(8000));
  for (let day = 0; day < 4; day++) {
    await write('today', `day ${day}\n`.repeat(300_000));
    await backUp();
  }
  assert.deepEqual(await active(), []);

  await write('archive', randomBytes(30 * MIB));
  await backUp();
  assert.deepEqual((await active()).sort(), ['entropy_jump CRITICAL', 'size_deviation ERROR']);
  assert.match((await it.alertOf('size_deviation'))?.message ?? '', /^It holds 3\d\.\d MiB; usual are \d/);

  for (const name of await readdir(app.media)) await rm(join(app.media, name));
  await write('note', 'pay us');
  await backUp();
  assert.match((await it.alertOf('size_deviation'))?.title ?? '', /collapsed/);
  assert.ok((await active()).includes('mass_change CRITICAL'));
});
