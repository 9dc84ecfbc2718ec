/**
 * The service on several machines: two `holdfast serve` and four `holdfast worker` over one PostgreSQL, each killed in turn while backups
 * run; the second server cannot read the repository's password. What was asked for and what was due has one point each. In front of the
 * servers stands a proxy: a session holds at both, and who follows the events misses none.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { type Catalog, openCatalog } from '../../src/catalog/catalog.ts';
import { newestEvent, readEvents } from '../../src/catalog/events.ts';
import { listRuns, OVER, type Run } from '../../src/catalog/runs.ts';
import { listWorkers } from '../../src/catalog/workers.ts';
import { freePort } from '../../src/postgres/free-port.ts';
import { addAccount } from '../../src/server/access.ts';
import { openStore } from '../../src/storage/open.ts';
import { CHEAP, LONG } from '../support/access.ts';
import { init, PASSWORD } from '../support/care.ts';
import { EventFollower } from '../support/event-follower.ts';
import { HOLDFAST, holdfastOk } from '../support/holdfast.ts';
import { startPostgres } from '../support/postgres/server.ts';
import { Restic } from '../support/restic.ts';
import { type ReverseProxy, startReverseProxy } from '../support/reverse-proxy.ts';
import { type Service, startService } from '../support/service.ts';
import { type TempDir, tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';

const SITES = { north: ['front', 'laboratory'], south: ['archive', 'billing'] } as const;
const APPS = Object.values(SITES).flat();
/** Who is killed after whom. */
const TURNS = [
  ['worker', 0],
  ['server', 0],
  ['worker', 1],
  ['worker', 2],
  ['server', 1],
  ['worker', 3],
] as const;
const ASKED = 4 * 2 + 2;
const YEAR = 365 * 86_400_000;
/** The proxy is there; a person is elsewhere. */
const [PROXY, PERSON] = ['127.0.0.1', '127.0.0.2'];
const MOST_EVENTS = 100_000;

test('servers and workers that are killed one after the other lose nothing and do nothing twice', async () => {
  await using directory = await tempDir({ prefix: 'hf-killed' });
  await using postgres = await startPostgres({ major: 18 });
  const url = postgres.url({ tcp: true });
  const ports = [await freePort(), await freePort()] as const;
  const [first, second] = ports;
  const configFile = await configure(directory, url, first);
  const configOfSecond = await configure(directory, url, second, { file: directory.join('not on this machine') });
  const created = await holdfastOk([
    '--config',
    configFile,
    'token',
    'create',
    'test',
    '--role',
    'administrator',
    '--quiet',
  ]);
  const token = created.stdout.trim();
  await using catalog = await openCatalog({ url });
  const serve = (at: number) =>
    startService(at === 0 ? configFile : configOfSecond, {
      ...{ port: at === 0 ? first : second, token, words: ['--no-worker', '--log', 'warn'] },
    });
  const worker = (at: number) =>
    spawn(HOLDFAST, ['--config', configFile, 'worker', ...workerWords(at)], { stdio: 'inherit' });

  const workers = [0, 1, 2, 3].map(worker);
  const servers = await Promise.all([serve(0), serve(1)]);
  await using proxy = await startReverseProxy(ports);
  const begin = await newestEvent(catalog.db);
  await using follower = new EventFollower(proxy.url, { token, after: begin });
  try {
    await sessionHolds(catalog, proxy, servers);
    await makeDue(catalog);
    for (const [part, at] of TURNS) {
      if (part === 'server') {
        await asked(servers[at]!, APPS[at]!);
        await killed(servers[at]!.child);
        await until(() => follower.server === ports[1 - at]); // the one that is left
        servers[at] = await serve(at);
      } else {
        const apps = SITES[siteOf(at)];
        for (const app of apps) await asked(servers[at % 2]!, app);
        await until(async () => (await isAtWork(catalog, `w${at}`)) || (await allOver(catalog, apps)) !== undefined);
        await sleep(at * 200); // each at another moment of its backup
        await killed(workers[at]!);
        workers[at] = worker(at);
      }
    }
    const runs = await until(async () =>
      (await countRuns(catalog)) >= ASKED + APPS.length ? allOver(catalog, APPS) : undefined,
    );
    assert.deepEqual(
      runs.filter(({ state }) => state !== 'succeeded').map(({ state, error }) => ({ state, error })),
      [],
    );
    assert.equal(runs.filter(({ trigger }) => trigger === 'api').length, ASKED, 'what was asked for');
    assert.equal(runs.filter(({ trigger }) => trigger === 'catch-up').length, APPS.length, 'what was due, once');
    assert.ok(
      runs.some(({ attempt }) => attempt > 1),
      'somebody was killed at work',
    );
    const newest = await newestEvent(catalog.db);
    await until(() => (follower.heard.at(-1) ?? 0) >= newest);
    const told = (await readEvents(catalog.db, begin, MOST_EVENTS)).map(({ seq }) => seq);
    assert.deepEqual(
      follower.heard.filter((seq) => seq <= newest),
      told.filter((seq) => seq <= newest),
      'every event once and in order',
    );
    assert.ok(follower.streams > 1, 'the server it listened to was killed');
    const restic = new Restic(directory.join('storage'), PASSWORD);
    const points = (await restic.snapshots()).map(({ tags = [] }) => tags.find((tag) => tag.startsWith('run=')));
    assert.deepEqual(points.sort(), runs.map(({ id }) => `run=${id}`).sort(), 'every run has its point, one');
    await restic.check();
  } finally {
    await Promise.all([...workers, ...servers.map(({ child }) => child)].map(killed));
  }
});

/** `password`: what stands for the one of the repository; only who carries runs out needs it. */
async function configure(
  directory: TempDir,
  catalog: string,
  port: number,
  password: string | object = PASSWORD,
): Promise<string> {
  const storage = { type: 'local', name: 'storage', path: directory.join('storage') } as const;
  const apps: Record<string, object> = {};
  for (const [site, names] of Object.entries(SITES))
    for (const name of names) {
      const path = directory.join(name);
      await mkdir(path, { recursive: true });
      await writeFile(join(path, 'file'), `the files of ${name}\n`.repeat(10_000));
      apps[name] = {
        sources: { media: { type: 'files', path } },
        labels: { site },
        schedules: [{ name: 'backup', run: 'backup', cron: '0 3 1 6 *', jitter: '0s' }],
      };
    }
  const file = directory.join(`${port}.yaml`);
  const service = { catalog: { url: catalog }, server: { listen: `127.0.0.1:${port}`, trustedProxies: [PROXY] } };
  const verification = { sample: 'off', afterBackup: false };
  const { name: _name, ...settings } = storage;
  await writeFile(
    file,
    stringify({
      version: 1,
      repository: { password },
      storages: { storage: settings },
      ...{ apps, verification, ...service },
    }),
    { mode: 0o600 },
  );
  const store = openStore(storage, { create: true });
  await init([store]);
  await store.close();
  return file;
}

function siteOf(worker: number): keyof typeof SITES {
  return worker % 2 === 0 ? 'north' : 'south';
}

function workerWords(at: number): string[] {
  const few = ['--concurrency', '1', '--log', 'error'];
  return ['--name', `w${at}`, '--labels', `site=${siteOf(at)}`, ...few];
}

async function asked(server: Service, app: string): Promise<void> {
  const { status, body } = await server.call('POST', '/runs', { kind: 'backup', app, params: {} });
  assert.equal(status, 202, JSON.stringify(body));
}

/** Who logs in through the proxy is logged in at every server, and is on record with the own address, not with that of the proxy. */
async function sessionHolds(catalog: Catalog, proxy: ReverseProxy, servers: readonly Service[]): Promise<void> {
  const anna = { name: 'anna', password: LONG, grants: [{ app: '*', role: 'viewer' as const }] };
  await addAccount({ catalog, passwords: CHEAP }, anna, { actor: 'test' }, Date.now());
  const sent = request(`${proxy.url}/api/v1/session`, {
    ...{ method: 'POST', localAddress: PERSON },
    headers: { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' },
  });
  sent.end(JSON.stringify({ name: anna.name, password: anna.password }));
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  assert.equal(answer.statusCode, 201, await text(answer));
  const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  for (const { url } of servers) {
    const session = await fetch(`${url}/api/v1/session`, { headers: { cookie } });
    const { user } = (await session.json()) as { user: { name: string } };
    assert.deepEqual([session.status, user.name], [200, anna.name]);
  }
  const logIns = await catalog.db.selectFrom('audit').select('address').where('action', '=', 'login').execute();
  assert.deepEqual(logIns, [{ address: PERSON }]);
}

/** As if nothing had looked at schedules for a year: each has one time that was missed. */
async function makeDue(catalog: Catalog): Promise<void> {
  const { db } = catalog;
  await until(async () => (await db.selectFrom('schedules').select('id').execute()).length === APPS.length);
  const now = Date.now();
  await db
    .updateTable('schedules')
    .set({ evaluated_until: now - YEAR, next_at: now - 1 })
    .execute();
}

async function isAtWork(catalog: Catalog, name: string): Promise<boolean> {
  const ids = (await listWorkers(catalog.db)).filter((each) => each.name === name).map(({ id }) => id);
  const { runs } = await listRuns(catalog.db, { state: 'running', limit: 100 });
  return runs.some((run) => ids.includes(run.worker ?? ''));
}

/** The backups of these apps, once all are over. */
async function allOver(catalog: Catalog, apps: readonly string[]): Promise<Run[] | undefined> {
  const { runs } = await listRuns(catalog.db, { kind: 'backup', apps, limit: 1_000 });
  return runs.every(({ state }) => OVER.includes(state)) ? runs : undefined;
}

async function countRuns(catalog: Catalog): Promise<number> {
  return (await listRuns(catalog.db, { kind: 'backup', limit: 1_000 })).runs.length;
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
