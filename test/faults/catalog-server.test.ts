/** The PostgreSQL of the catalog is slow, stalls for longer than a lease, or is replaced by a standby that lacks the newest: nothing is done twice. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { type Catalog, openCatalog } from '../../src/catalog/catalog.ts';
import { claimRun, expireLeases, finishRun, renewLease } from '../../src/catalog/claim.ts';
import { appendEvents, watchEvents } from '../../src/catalog/events.ts';
import { createRun, getRun, OVER } from '../../src/catalog/runs.ts';
import type { ChildEnd, ChildListener, StartChild } from '../../src/scheduler/runner.ts';
import { work } from '../../src/scheduler/worker.ts';
import { type Front, startFront } from '../support/postgres/front.ts';
import { startPostgres, type TestServer } from '../support/postgres/server.ts';
import { startStandby } from '../support/postgres/standby.ts';
import { until } from '../support/until.ts';

const LEASE = 3_000;

let primary: TestServer;
let front: Front;
let direct: Catalog;
before(async () => {
  primary = await startPostgres({ major: 17 });
  front = await startFront(primary);
  direct = await openCatalog({ url: primary.url() });
});
after(async () => {
  await direct?.[Symbol.asyncDispose]();
  await front?.[Symbol.asyncDispose]();
  await primary?.[Symbol.asyncDispose]();
});

const request = async (catalog: Catalog, app: string) =>
  (await createRun(catalog.db, { app, kind: 'backup', trigger: 'api', exclusive: `source:${app}` }, Date.now())).run.id;

test('a server whose every reply is 300 ms late: the run is carried out, once', async () => {
  await using worker = await startWorker(10 * LEASE);
  front.slow(300);
  const id = await request(direct, 'slow');
  const { listener, end } = await worker.started();
  assert.equal(await listener.permit('point'), true);
  end({ status: 0 });
  await until(async () => OVER.includes((await getRun(direct.db, id))!.state));
  front.slow(0);
  const { state, attempt } = (await getRun(direct.db, id))!;
  assert.deepEqual({ state, attempt }, { state: 'succeeded', attempt: 1 });
});

test('a server that stalls for longer than a lease: the run goes to another, and who had it is stopped and not permitted', async () => {
  await using worker = await startWorker(LEASE);
  const id = await request(direct, 'stalled');
  const first = await worker.started();
  front.slow(3 * LEASE);
  const permitted = first.listener.permit('point');
  await first.killed; // by its own watch: nobody has answered yet
  await until(async () => (await expireLeases(direct, Date.now())).length > 0);
  const other = (await claimRun(direct, OTHER, Date.now(), 60_000))!;
  assert.equal(await permitted, false, 'what the server said before the lease was over came after it');
  front.slow(0);
  first.end({ status: null, signal: 'SIGKILL' });
  assert.equal(await finishRun(direct.db, other, { state: 'succeeded' }, Date.now()), true);

  const next = await request(direct, 'next');
  const second = await worker.started();
  assert.equal(await second.listener.permit('point'), true);
  second.end({ status: 0 });
  await until(async () => OVER.includes((await getRun(direct.db, next))!.state));
  const { state, attempt, worker: by } = (await getRun(direct.db, id))!;
  assert.deepEqual({ state, attempt, by }, { state: 'succeeded', attempt: 2, by: OTHER.id });
});

test('a standby that takes over without the newest: a claim it never heard of is worth nothing, and all go on', async () => {
  await using standby = await startStandby(primary);
  await using catalog = await openCatalog({ url: front.url });
  const id = await request(catalog, 'failover');
  const known = async () => (await standby.sql(`select 1 from runs where id = '${id}'`)).length > 0;
  await until(known);
  await standby.sql("alter system set primary_conninfo = ''");
  await standby.sql('select pg_reload_conf()');
  await until(async () => (await standby.sql('select 1 from pg_stat_wal_receiver')).length === 0);

  const lost = await request(catalog, 'lost');
  const stop = new AbortController();
  const heard: (string | undefined)[] = [];
  const watching = (async () => {
    for await (const { type, runId } of watchEvents(catalog, 0, stop.signal, systemClock))
      heard.push(`${type} ${runId}`);
  })();
  await appendEvents(
    catalog.db,
    Array.from({ length: 100 }, () => ({ type: 'storage.state' as const })),
    Date.now(),
  );
  const claimed = (await claimRun(catalog, OTHER, Date.now(), 60_000))!;
  assert.equal(claimed.id, id);
  await until(async () => heard.includes(`run.started ${id}`));

  front.to(undefined);
  await primary.instance.stop('immediate');
  await standby.sql('select pg_promote()');
  front.to(standby);
  const again = await until(() =>
    claimRun(catalog, { id: 'third', labels: {} }, Date.now(), 60_000).catch(() => undefined),
  );
  assert.equal(again.id, id);
  assert.equal(await renewLease(catalog.db, claimed, Date.now(), LEASE), 'lost');
  assert.equal(await finishRun(catalog.db, claimed, { state: 'failed' }, Date.now()), false);
  assert.equal(await finishRun(catalog.db, again, { state: 'succeeded' }, Date.now()), true);
  assert.equal(await getRun(catalog.db, lost), undefined);
  await until(async () => heard.includes(`run.finished ${id}`)); // under a number that was given before
  stop.abort();
  await watching;
});

const OTHER = { id: 'other', labels: {} };

interface Command {
  readonly listener: ChildListener;
  readonly killed: Promise<void>;
  end(how: ChildEnd): void;
}

/** A worker whose catalog is behind the front; its commands do what the test says. */
async function startWorker(leaseMs: number): Promise<AsyncDisposable & { started(): Promise<Command> }> {
  const catalog = await openCatalog({ url: front.url });
  const commands: Command[] = [];
  const start: StartChild = (_command, listener) => {
    const ended = Promise.withResolvers<ChildEnd>();
    const killed = Promise.withResolvers<void>();
    commands.push({ listener, killed: killed.promise, end: ended.resolve });
    return { ended: ended.promise, interrupt: () => {}, kill: killed.resolve };
  };
  const stop = new AbortController();
  const working = work(
    {
      ...{ catalog, clock: systemClock, start, words: [], concurrency: 1, leaseMs, graceMs: 1_000, pollMs: 500 },
      ...{ heartbeatMs: 60_000, drainMs: 0, onProblem: () => {} },
      self: { id: 'worker', name: 'worker', labels: {}, role: 'worker', version: '0' },
    },
    stop.signal,
  );
  return {
    started: () => until(async () => commands.shift()),
    [Symbol.asyncDispose]: async () => {
      front.slow(0);
      stop.abort();
      await working;
      await catalog[Symbol.asyncDispose]();
    },
  };
}
