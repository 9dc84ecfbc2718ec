/**
 * Storages that are dead for hours, in the service: its scheduler, its worker, the real commands and its alerts on a clock that the test
 * moves on, a quarter of an hour at a time.
 */
import assert from 'node:assert/strict';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { AlertEngine, type AlertEngineDeps, channelWorld } from '../../src/alerts/engine.ts';
import { Sender } from '../../src/alerts/sender.ts';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { Failure } from '../../src/base/failure.ts';
import { manualClock } from '../../src/base/testing/manual-clock.ts';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { claimRun } from '../../src/catalog/claim.ts';
import { listRuns, type Run } from '../../src/catalog/runs.ts';
import { runCommandLine } from '../../src/cli/run.ts';
import { type Configuration, loadConfiguration } from '../../src/config/configuration.ts';
import { declaredSchedules } from '../../src/scheduler/declared.ts';
import { LineSplitter } from '../../src/scheduler/runner/lines.ts';
import { carryOut, type StartChild } from '../../src/scheduler/runner.ts';
import { Ticker } from '../../src/scheduler/ticker.ts';
import { afterRun } from '../../src/service/after-run.ts';
import { type BackupApp, backupApp } from '../integration/fixtures/backup-app.ts';
import { HOLDFAST } from '../support/holdfast.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';

const MINUTE = 60_000;
const QUARTER = 15 * MINUTE;
const LEASE = 60 * MINUTE;
const EVENING = Date.UTC(2026, 10, 21, 20, 5);
const signal = new AbortController().signal;

let receiver: Receiver;
before(async () => {
  receiver = await startReceiver();
});
after(() => receiver?.[Symbol.asyncDispose]());

interface World extends AsyncDisposable {
  readonly app: BackupApp;
  /** Lets quarters of an hour pass; what was carried out meanwhile, oldest first. */
  pass(quarters: number): Promise<Run[]>;
  /** What the receiver was told of a rule: the kinds of messages, in order, and how it ended. */
  told(rule: string): { readonly types: readonly string[]; readonly end: string | undefined };
}

async function world(): Promise<World> {
  const schedules = [
    { run: 'backup', every: 'hourly', jitter: '0s' },
    { run: 'sync', cron: '30 * * * *', jitter: '0s' },
  ];
  const app = await backupApp({ here: true, app: { schedules } });
  await writeFile(join(app.media, 'file'), 'content');
  await appendSettings(app.configFile);
  receiver.received.length = 0;
  const configuration = await loadConfiguration({ path: app.configFile, cwd: app.dir.path, env: {} });
  const catalog = await openCatalog({ path: app.dir.join('catalog.sqlite') });
  const clock = manualClock(EVENING);
  const verification = await configuration.verification();
  const onProblem = (message: string, error: unknown) => {
    throw new Error(message, { cause: error });
  };
  const ticker = new Ticker({ catalog, clock, holder: 'here', declared: () => declared(configuration), onProblem });
  const runner = {
    ...{ catalog, clock, words: ['--config', app.configFile], leaseMs: LEASE, graceMs: MINUTE },
    start: commandsAt(clock, app.dir.path),
    ended: (db, run, params, end) => afterRun(db, { run, params, end }, verification, clock.now()),
  } satisfies Parameters<typeof carryOut>[1];
  const alerts = alertDeps(configuration, { catalog, clock, onProblem });
  const engine = new AlertEngine(alerts);
  const sender = new Sender({ ...alerts, world: channelWorld(alerts, signal) });
  const look = async () => {
    for (let round = 0; round < 3; round++) {
      await engine.tick(sender, signal);
      await sender.settled();
    }
  };
  await look();
  let seen = 0;
  return {
    app,
    pass: async (quarters) => {
      for (let quarter = 0; quarter < quarters; quarter++) {
        await clock.advance(QUARTER);
        await ticker.tick();
        for (;;) {
          const run = await claimRun(catalog, { id: 'here', labels: {} }, clock.now(), LEASE);
          if (run === undefined) break;
          await carryOut(run, runner, signal);
        }
        await look();
      }
      const { runs } = await listRuns(catalog.db, { limit: 200 });
      const fresh = runs.reverse().slice(seen);
      seen = runs.length;
      return fresh;
    },
    told: (rule) => {
      const messages = receiver.received
        .map(({ body }) => JSON.parse(body) as { type: string; data: { rule: string; resolve_note?: string } })
        .filter(({ data }) => data.rule === rule);
      return { types: messages.map(({ type }) => type), end: messages.at(-1)?.data.resolve_note };
    },
    [Symbol.asyncDispose]: async () => {
      await catalog[Symbol.asyncDispose]();
      await app[Symbol.asyncDispose]();
    },
  };
}

test('a storage that is dead for hours is told once, the other gets every backup, and it catches up when it is back', async () => {
  await using it = await world();
  const { app } = it;
  assert.deepEqual((await it.pass(4)).map(briefly), ['sync succeeded 1', 'backup succeeded 1']);
  const revive = await kill(app, 'b');
  assert.deepEqual((await it.pass(22)).map(briefly), [
    ...Array.from({ length: 5 }, () => ['sync partial 1', 'backup partial 1']).flat(),
    'sync partial 1',
  ]);
  const holders = async () =>
    (await app.ok(['points', '--json'])).document<{ storages: string[] }[]>().map(({ storages }) => storages.join());
  assert.deepEqual(await holders(), Array(6).fill('a'));
  await revive();
  assert.deepEqual(await holders(), ['a,b', ...Array(5).fill('a')]);
  assert.deepEqual(it.told('storage_unreachable').types, ['alert.raised']);

  const [backup, ...later] = await it.pass(4);
  assert.deepEqual(backup?.outcome?.storages, { a: 'complete', b: 'behind' });
  assert.deepEqual(later.map(briefly), ['sync succeeded 1']);
  assert.deepEqual(await holders(), Array(7).fill('a,b'));
  assert.deepEqual((await it.pass(2)).map(briefly), ['backup succeeded 1']);
  const { types, end } = it.told('storage_unreachable');
  assert.deepEqual(types, ['alert.raised', 'alert.resolved']);
  assert.match(end ?? '', /^Gone by itself after 5 h 30 min\. It answers again/);
  await app.assertWhole();
});

test('while every storage is dead each backup is tried four times, it is told once, and the first that succeeds ends it', async () => {
  await using it = await world();
  await it.pass(4);
  const revived = [await kill(it.app, 'a'), await kill(it.app, 'b')];
  const dead = await it.pass(12);
  for (const { state, attempt, error } of dead.filter(({ state }) => state !== 'queued'))
    assert.deepEqual([state, attempt, error?.code], ['failed', 4, 'storages_failed']);
  assert.ok(dead.every(({ attempt }) => attempt <= 4));
  assert.equal(dead.filter(({ kind, state }) => kind === 'backup' && state === 'failed').length, 2);
  assert.deepEqual(it.told('backup_failure').types, ['alert.raised']);

  for (const revive of revived) await revive();
  const states = (await it.pass(4)).map(({ state }) => state);
  assert.ok(states.includes('succeeded') && !states.includes('failed'), states.join());
  const { types, end } = it.told('backup_failure');
  assert.deepEqual(types, ['alert.raised', 'alert.resolved']);
  assert.match(end ?? '', /^Gone by itself after \d h/);
  await it.app.assertWhole('a');
});

/** Kind, state and attempts. */
function briefly({ kind, state, attempt }: Run): string {
  return `${kind} ${state} ${attempt}`;
}

/** The commands of runs, in this process: their clock tells the time of the test, and what they wait for is real. */
function commandsAt(clock: Clock, cwd: string): StartChild {
  const build = { program: HOLDFAST, version: '0', node: process.versions.node, platform: 'test' };
  const own: Clock = { ...systemClock, now: clock.now };
  const stream = (hear: (line: string) => void) => {
    const lines = new LineSplitter(hear);
    return {
      write: (chunk: string | Uint8Array, done: (error?: Error | null) => void) => {
        lines.add(Buffer.from(chunk as Uint8Array).toString());
        setImmediate(done);
        return true;
      },
      on: () => {},
    };
  };
  return ({ words, runId }, listener) => {
    const over = new AbortController();
    const permit = async (step: string) => {
      if (!(await listener.permit(step))) throw new Failure('run_lost', 'Another worker has the run.');
    };
    const ended = runCommandLine({
      ...{ argv: words, env: { ...process.env, NO_COLOR: '1' }, cwd, build, clock: own, signal: over.signal },
      stdout: stream((line) => listener.line('output', line)),
      stderr: stream((line) => listener.line('errors', line)),
      supervision: { run: runId, permit, confirm: listener.confirm, ready: listener.ready },
    }).then((status) => ({ status }));
    const stop = () => over.abort();
    return { ended, interrupt: stop, kill: stop };
  };
}

async function appendSettings(file: string): Promise<void> {
  const hook = {
    ...{ type: 'webhook', url: `${receiver.url}/hook`, allowPrivate: true },
    secret: `whsec_${Buffer.alloc(32).toString('base64')}`,
  };
  const alerts = { channels: { hook }, routes: [{ severity: ['ERROR', 'CRITICAL'], channels: ['hook'] }] };
  const more = [`alerts: ${JSON.stringify(alerts)}`, 'verification: { sample: off, afterBackup: false }'];
  await writeFile(file, `${await readFile(file, 'utf8')}\n${more.join('\n')}\n`);
}

async function declared(configuration: Configuration) {
  const verification = await configuration.verification();
  const plans = [await configuration.plan('clinic')];
  return declaredSchedules({ plans, verification, storages: configuration.storageNames, timezone: 'UTC' });
}

function alertDeps(
  configuration: Configuration,
  own: Pick<AlertEngineDeps, 'catalog' | 'clock' | 'onProblem'>,
): AlertEngineDeps {
  return {
    ...own,
    ...{ holder: 'here', source: 'here', random: () => 0.5 },
    policy: () => configuration.alerts(),
    deadMan: () => configuration.deadMan(),
    channel: (name) => configuration.channel(name),
    apps: async () => [{ app: 'clinic', objectives: {} }],
    storages: () => configuration.storageNames,
  };
}

/** A storage as if it were gone: where its directory was is something else. */
async function kill(app: BackupApp, storage: string): Promise<() => Promise<void>> {
  const away = `${app.dir.join(storage)}-is-away`;
  await rename(app.dir.join(storage), away);
  await writeFile(app.dir.join(storage), 'no directory');
  return async () => {
    await rm(app.dir.join(storage));
    await rename(away, app.dir.join(storage));
  };
}
