/** The engine whole: from a run that fails to the message a receiver gets, through receivers that misbehave, to the end of the outage. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { sql } from 'kysely';
import { AlertEngine, type AlertEngineDeps, channelWorld } from '../../src/alerts/engine.ts';
import { afterFailure, Sender } from '../../src/alerts/sender.ts';
import { testChannel } from '../../src/alerts/test-channel.ts';
import { Failure } from '../../src/base/failure.ts';
import { manualClock } from '../../src/base/testing/manual-clock.ts';
import { listAlerts } from '../../src/catalog/alerts.ts';
import { type Catalog, openCatalog } from '../../src/catalog/catalog.ts';
import { claimRun, finishRun, type RunEnd } from '../../src/catalog/claim.ts';
import { listDeliveries } from '../../src/catalog/deliveries.ts';
import { createRun } from '../../src/catalog/runs.ts';
import { heartbeat, removeLostWorkers } from '../../src/catalog/workers.ts';
import type { Configuration } from '../../src/config/configuration.ts';
import { configurationWith } from '../support/alerts.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { type TempDir, tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';

const MINUTE = 60_000;
const signal = new AbortController().signal;

let directory: TempDir;
let receiver: Receiver;
let configuration: Configuration;
before(async () => {
  directory = await tempDir();
  receiver = await startReceiver();
  const at = (path: string) => `"${receiver.url}${path}", allowPrivate: true, timeout: 5s`;
  configuration = await configurationWith(`
  channels:
    hook: { type: webhook, url: ${at('/hook')}, secret: "whsec_${Buffer.alloc(32).toString('base64')}" }
    other: { type: slack, url: ${at('/other')} }
    ping: { type: healthchecks, url: ${at('/ping')}, app: clinic }
  routes: [{ severity: [ERROR, CRITICAL], channels: [hook] }]
  fallback: [other]
  deadMan: { url: "${receiver.url}/alive", allowPrivate: true }`);
});
after(async () => {
  await receiver?.[Symbol.asyncDispose]();
  await directory?.remove();
});

interface World {
  readonly catalog: Catalog;
  readonly clock: ReturnType<typeof manualClock>;
  readonly engine: AlertEngine;
  readonly deps: AlertEngineDeps;
  readonly problems: string[];
  /** Time goes on, then rounds until everything that is due was sent. */
  pass(ms?: number): Promise<void>;
  backup(end: RunEnd): Promise<string>;
}

let count = 0;
async function world(): Promise<World & AsyncDisposable> {
  const clock = manualClock();
  const catalog = await openCatalog({ path: join(directory.path, `${++count}.sqlite`) });
  const problems: string[] = [];
  const deps: AlertEngineDeps = {
    ...{ catalog, clock, holder: 'a', source: 'here', random: () => 0.5 },
    policy: () => configuration.alerts(),
    deadMan: () => configuration.deadMan(),
    channel: (name) => configuration.channel(name),
    apps: async () => [{ app: 'clinic', objectives: {} }],
    storages: () => configuration.storageNames,
    onProblem: (message) => problems.push(message),
  };
  const engine = new AlertEngine(deps);
  const sender = new Sender({ ...deps, world: channelWorld(deps, signal) });
  const pass = async (ms = 0) => {
    await clock.advance(ms);
    for (let round = 0; round < 4; round++) {
      await engine.tick(sender, signal);
      await sender.settled();
    }
  };
  await pass();
  return {
    ...{ catalog, clock, engine, deps, problems, pass },
    backup: async (end) => {
      await createRun(catalog.db, { app: 'clinic', kind: 'backup', trigger: 'schedule' }, clock.now());
      const run = await claimRun(catalog, { id: 'w', labels: {} }, clock.now(), MINUTE);
      await clock.advance(1000);
      await finishRun(catalog.db, run!, end, clock.now());
      return run!.id;
    },
    [Symbol.asyncDispose]: () => catalog[Symbol.asyncDispose](),
  };
}

const FULL = { code: 'storage_full', message: 'The disk is full.' };
const hooks = () =>
  receiver.received
    .filter(({ path }) => path === '/hook')
    .map(({ body }) => JSON.parse(body) as { type: string; data: { title: string; resolve_note: string } });

beforeEach(() => {
  receiver.received.length = 0;
  receiver.answer = (response) => response.end();
});

test('a backup that fails is told, one that succeeds ends it with how long it lasted; pings go beside', async () => {
  await using it = await world();
  await it.backup({ state: 'failed', error: FULL });
  await it.pass();
  await it.pass(2 * MINUTE);
  assert.deepEqual(
    hooks().map(({ type, data }) => [type, data.title]),
    [['alert.raised', 'The backup failed']],
  );
  const run = await it.backup({ state: 'succeeded', outcome: { storages: { local: 'complete' } } });
  await it.pass();
  assert.equal(hooks()[1]?.type, 'alert.resolved');
  assert.equal(hooks()[1]?.data.resolve_note, `Gone by itself after 2 min 1 s. Run ${run} succeeded.`);
  const pings = receiver.received.filter(({ path }) => path.startsWith('/ping')).map(({ path }) => path);
  assert.deepEqual(pings.sort(), ['/ping', '/ping/fail', '/ping/start', '/ping/start']);
  await until(() => receiver.received.filter(({ path }) => path === '/alive').length === 2);
  assert.deepEqual(it.problems, []);
});

test('a storage that a backup finds gone is one alert, whoever sees it, and over when it is there again', async () => {
  await using it = await world();
  const gone = { state: 'partial', outcome: { storages: { local: 'no route to host' } } } as const;
  await it.backup(gone);
  await it.pass(20_000);
  await it.backup(gone);
  await it.pass(20_000);
  const open = async () =>
    (await listAlerts(it.catalog.db, { state: ['ACTIVE'], rule: 'storage_unreachable', limit: 9 })).alerts;
  assert.deepEqual(
    (await open()).map(({ cause, message }) => [cause, message]),
    [['storage_unreachable:local', 'no route to host']],
  );
  await it.backup({ state: 'succeeded', outcome: { storages: { local: 'complete' } } });
  await it.pass(20_000);
  assert.deepEqual(await open(), []);
});

test('a worker that went away is told, and over when one of its name is back', async () => {
  await using it = await world();
  const worker = { id: 'w1', name: 'north', labels: {}, role: 'worker', version: '1' } as const;
  await heartbeat(it.catalog.db, worker, it.clock.now());
  await it.clock.advance(3 * MINUTE);
  await removeLostWorkers(it.catalog.db, it.clock.now() - MINUTE, it.clock.now());
  await it.pass();
  assert.equal(hooks()[0]?.data.title, 'The worker north is lost');
  await heartbeat(it.catalog.db, { ...worker, id: 'w2' }, it.clock.now());
  await it.pass();
  assert.equal(hooks()[1]?.type, 'alert.resolved');
});

test('a receiver that fails gets the same message again later; the channel itself is told of elsewhere, until it works', async () => {
  await using it = await world();
  receiver.answer = (response, { path }) => response.writeHead(path === '/hook' ? 500 : 200).end();
  await it.backup({ state: 'failed', error: FULL });
  await it.pass();
  assert.equal(hooks().length, 1);
  for (const seconds of [5, 10, 20]) await it.pass(seconds * 1000);
  assert.equal(hooks().length, 4);
  assert.equal(
    new Set(receiver.received.filter(({ path }) => path === '/hook').map(({ headers }) => headers['webhook-id'])).size,
    1,
  );
  const others = () =>
    receiver.received.filter(({ path }) => path === '/other').map(({ body }) => JSON.parse(body).text);
  assert.deepEqual(others(), ['[WARNING] The channel hook does not take messages']);
  receiver.answer = (response) => response.end();
  await it.pass(MINUTE);
  await it.pass();
  assert.equal(hooks().length, 5);
  assert.equal(others().at(-1), '[RESOLVED] The channel hook does not take messages');
});

test('what is refused for good goes to the fallback at once', async () => {
  await using it = await world();
  receiver.answer = (response, { path }) => response.writeHead(path === '/hook' ? 410 : 200).end();
  await it.backup({ state: 'failed', error: FULL });
  await it.pass();
  await it.pass();
  const others = receiver.received.filter(({ path }) => path === '/other').map(({ body }) => JSON.parse(body).text);
  assert.ok(others.includes('[ERROR] clinic: The backup failed'), others.join());
  const { deliveries } = await listDeliveries(it.catalog.db, { channel: 'hook', limit: 9 });
  assert.deepEqual(
    deliveries.map(({ state, attempts }) => [state, attempts]),
    [['failed', 1]],
  );
});

test('of two engines one works, and the other goes on where the first was killed', async () => {
  await using it = await world();
  const second = new AlertEngine({ ...it.deps, holder: 'b' });
  const sender = new Sender({ ...it.deps, world: channelWorld(it.deps, signal) });
  assert.equal(await second.tick(sender, signal), false);
  await it.backup({ state: 'failed', error: FULL });
  await it.clock.advance(31_000); // the first says nothing any more
  assert.equal(await second.tick(sender, signal), true);
  await sender.settled();
  assert.equal(hooks().length, 1);
  assert.equal(await it.engine.tick(sender, signal), false);
});

test('the address outside hears of an engine that works, and of no other: without its catalog, its policy or the role it is silent', async () => {
  await using it = await world();
  let isReadable = true;
  const policy = async () => {
    if (isReadable) return configuration.alerts();
    throw new Failure('secret_unavailable', 'It cannot be fetched.');
  };
  const own = `/alive-${randomUUID()}`;
  const deadMan = async () => ({ ...(await configuration.deadMan())!, url: `${receiver.url}${own}` });
  const second = new AlertEngine({ ...it.deps, holder: 'b', policy, deadMan });
  const sender = new Sender({ ...it.deps, world: channelWorld(it.deps, signal) });
  const pings = () => receiver.received.filter(({ path }) => path === own).length;
  /** In how many of ten rounds, a minute apart, the second engine did its work; the first never has the role. */
  const rounds = async () => {
    let done = 0;
    for (let minutes = 0; minutes < 10; minutes++) {
      await it.clock.advance(MINUTE);
      done += await second.tick(sender, signal).then(Number, () => 0);
      assert.equal(await it.engine.tick(sender, signal), false);
    }
    return done;
  };
  assert.equal(await rounds(), 10);
  await sql`alter table alerts rename to away`.execute(it.catalog.db);
  assert.equal(await rounds(), 0);
  await sql`alter table away rename to alerts`.execute(it.catalog.db);
  isReadable = false;
  assert.equal(await rounds(), 0);
  isReadable = true;
  assert.equal(await rounds(), 10);
  await until(() => pings() >= 20);
  assert.equal(pings(), 20);
});

test('the test button tells what came of it and keeps a record', async () => {
  await using it = await world();
  const deps = { ...it.deps, world: channelWorld(it.deps, signal) };
  const sent = await testChannel(deps, 'hook');
  assert.deepEqual([sent.state, sent.status], ['sent', '200']);
  receiver.answer = (response) => response.writeHead(404).end();
  const refused = await testChannel(deps, 'hook');
  assert.equal(refused.state, 'failed');
  assert.match(refused.error ?? '', /answered 404/);
  await assert.rejects(testChannel(deps, 'nobody'), { code: 'channel_unknown' });
});

test('waits grow, with chance in them, and end', () => {
  const failure = new Failure('channel_failed', 'x');
  const next = (attempts: number, random: number, age = 0) =>
    afterFailure({ attempts, createdAt: -age, event: 'fire' }, failure, {
      now: 0,
      giveUpAfter: 24 * 60 * MINUTE,
      random,
    });
  assert.deepEqual(
    [next(1, 0).nextAt, next(1, 1).nextAt, next(3, 0.5).nextAt, next(40, 0.5).nextAt],
    [4_000, 6_000, 20_000, 15 * MINUTE],
  );
  assert.equal(next(40, 0.5, 24 * 60 * MINUTE).state, 'gave-up');
});
