/** The service as its callers meet it: how soon it answers, what it costs while nothing happens, every list for fifty clients, five hundred streams of events. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { systemClock } from '../../src/base/clock.ts';
import type { CatalogPlace } from '../../src/catalog/catalog.ts';
import { freePort } from '../../src/postgres/free-port.ts';
import { HOLDFAST, holdfastOk, writeConfig } from '../../test/support/holdfast.ts';
import { startPostgres } from '../../test/support/postgres/server.ts';
import { APPS, fillCatalog, scheduleId } from '../data/catalog.ts';
import type { Bench } from '../harness/context.ts';
import type { Figure } from '../harness/results.ts';

const CLIENTS_PROGRAM = fileURLToPath(new URL('../programs/api-clients.ts', import.meta.url));
const CLIENTS = 50;
/** Before anything is measured, and before each list: the engine compiles what it sees often. */
const WARM_UP = 2_000;
const WARM_UP_EACH = 200;
/** Calls of clients that pause, and how often each of them asks, in ms. */
const PAUSED_CALLS = 2_000;
const EVERY_MS = 500;
const STREAMS = 500;
const SETTLE_MS = 5_000;
/** Of `/proc/PID/stat`, in a second. */
const TICKS = 100;
const SCHEDULE = scheduleId(7);
const MONTH = 'since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00Z';
const LISTS = [
  'runs',
  `runs?${MONTH}`,
  'runs?app=app7',
  'runs?app=app7&state=failed',
  'runs?app=app7&kind=prove&state=failed&state=skipped',
  'runs?state=failed',
  'runs?kind=check&state=skipped',
  `runs?schedule=${SCHEDULE}&state=failed`,
  'points',
  'points?app=app7',
  'points?app=app7&pinned=true',
  'points?app=app7&proof=restored',
  'events/list',
  'events/list?app=app7&type=run.finished',
  'events/list?type=run',
  'alerts',
  'alerts?app=app7&severity=CRITICAL',
  'alerts?state=ACTIVE',
  'deliveries',
  'deliveries?channel=mail&state=failed',
  'audit',
  'audit?app=app7&outcome=refused',
  'audit?actor=user:person7',
  'approvals',
  'measurements?name=backup_seconds&app=app7&limit=100',
  'schedules?app=app7',
  'schedules',
  'backup/jobs?app=app7',
  'backup/configurations',
  'backup/restores',
  'storages',
  'storages/growth',
  'health',
  'workers',
  'sandboxes',
  'channels',
  'alert-mutes',
  'users',
];

/** So many different pages are more than the service keeps. */
const PAGES = 400;
const pages = (of: (app: string, turn: number) => string) =>
  Array.from({ length: PAGES }, (_, n) => `/api/v1/${of(`app${n % APPS}`, Math.floor(n / APPS))}`);
const DIFFERENT: readonly (readonly [what: string, paths: readonly string[]])[] = [
  ['runs of an app and a kind', pages((app, n) => `runs?app=${app}&kind=${['backup', 'check', 'prove', 'prune'][n]}`)],
  ['points of an app', pages((app, n) => `points?app=${app}&limit=${50 - n}`)],
  ['alerts of an app', pages((app, n) => `alerts?app=${app}&limit=${50 - n}`)],
];

interface Caller {
  readonly port: number;
  readonly token: string;
  /** Of the server. */
  readonly pid: number;
}

export const api: Bench = {
  name: 'api',
  title: 'The service: start, memory, lists for fifty clients, five hundred streams',
  async run({ quick, workspace, say }) {
    const [runs, points, calls] = quick ? [20_000, 5_000, 100] : [1_000_000, 100_000, 1_000];
    const figures: Figure[] = [];
    const measure = async (database: string, place: CatalogPlace) => {
      const directory = join(workspace.path, database);
      await mkdir(directory, { recursive: true });
      say(`${database}: filling the catalog …`);
      await fillCatalog(place, runs, points);
      say(`${database}: asking …`);
      for (const { what, value } of await serve(directory, place, calls))
        figures.push({ what: `${database}, ${what}`, value });
    };
    await measure('SQLite', { path: join(workspace.path, 'catalog.sqlite') });
    await using server = await startPostgres({ major: 17, settings: { shared_buffers: '256MB' } });
    await server.sql('create database catalog');
    await measure('PostgreSQL 17', { url: server.url({ database: 'catalog' }) });
    return {
      about:
        `${runs.toLocaleString('en')} runs and ${points.toLocaleString('en')} points in the catalog, a third as many events, entries of the audit log and figures as runs, and ` +
        `schedules, alerts and deliveries to match; pages of 50. ${CLIENTS} clients in a process of their own on the same machine. "Without a pause": each asks again as soon as it has ` +
        `its answer, so that ${CLIENTS} requests wait for one thread at any moment, and an answer takes ${CLIENTS} times the processor time of one, whatever that is. "Twice a second": each asks ` +
        'so often for one list after the other, as people do who look at pages. A page that is asked for again while nothing was written to the catalog is answered from memory; what reading ' +
        `pages costs show the lines with ${PAGES} of them. Memory and start are those of the built program.`,
      rows: [],
      figures,
    };
  },
};

async function serve(directory: string, place: CatalogPlace, calls: number): Promise<Figure[]> {
  const port = await freePort();
  const config = await writeConfig(directory, configuration(port, place));
  const options = { env: { HOLDFAST_CONFIG: config } };
  await holdfastOk(['init'], options);
  const { summary } = await holdfastOk(['token', 'create', 'bench', '--role', 'administrator', '--json'], options);
  const before = systemClock.monotonic();
  const server = spawn(HOLDFAST, ['--config', config, 'serve', '--no-worker'], { stdio: 'ignore' });
  try {
    const caller = { port, token: String(summary?.token), pid: server.pid! };
    await ready(caller);
    const figures: Figure[] = [{ what: 'from start to ready', value: `${seconds(before)} s` }];
    await systemClock.sleep(SETTLE_MS);
    figures.push({ what: 'memory while nothing happens', value: await rss(caller) });
    const paths = LISTS.map((list) => `/api/v1/${list}`);
    await ask(caller, paths, WARM_UP);
    figures.push({ what: 'all lists in turn, twice a second', value: await paused(caller, paths) });
    for (const path of paths)
      figures.push({ what: `GET ${path}, without a pause`, value: await latencies(caller, [path], calls) });
    for (const [what, different] of DIFFERENT) {
      const value = await latencies(caller, different, calls);
      figures.push({ what: `${PAGES} pages of ${what} in turn, without a pause`, value });
    }
    figures.push({ what: `${STREAMS} streams, an event to the last of them`, value: await streams(caller) });
    figures.push({ what: 'memory afterwards', value: await rss(caller) });
    return figures;
  } finally {
    server.kill('SIGKILL');
    await once(server, 'exit');
  }
}

function configuration(port: number, place: CatalogPlace): object {
  return {
    repository: { password: 'correct horse battery staple' },
    storages: { a: { type: 'local', path: './a' } },
    catalog: place,
    server: { listen: `127.0.0.1:${port}` },
    apps: { clinic: { sources: { media: { type: 'files', path: './a' } } } },
  };
}

async function ready({ port }: Caller): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok === true) return;
    await systemClock.sleep(10);
  }
}

/** ms of each call, for each path. */
async function ask({ port, token }: Caller, paths: readonly string[], calls: number, every = 0): Promise<number[][]> {
  const args = [CLIENTS_PROGRAM, port, token, CLIENTS, calls, every, ...paths].map(String);
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1 << 24 });
  return JSON.parse(stdout) as number[][];
}

async function latencies(caller: Caller, paths: readonly string[], calls: number): Promise<string> {
  await ask(caller, paths, WARM_UP_EACH);
  const before = await processorMs(caller);
  const taken = await ask(caller, paths, calls);
  const used = (await processorMs(caller)) - before;
  return `${within(taken.flat())}; ${(used / calls).toFixed(2)} ms of processor each`;
}

async function paused(caller: Caller, paths: readonly string[]): Promise<string> {
  const taken = await ask(caller, paths, PAUSED_CALLS, EVERY_MS);
  const longest = taken.map((each) => Math.max(...each));
  const slowest = longest.indexOf(Math.max(...longest));
  return `${within(taken.flat())}; the longest ${longest[slowest]!.toFixed(1)} ms, of GET ${paths[slowest]}`;
}

function within(taken: number[]): string {
  taken.sort((a, b) => a - b);
  const at = (part: number) => `${taken[Math.floor(part * (taken.length - 1))]!.toFixed(1)} ms`;
  return `half within ${at(0.5)}, 99 % within ${at(0.99)}`;
}

/** User and system time of the server so far. */
async function processorMs({ pid }: Caller): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS;
}

/** From asking for a run until every stream has told of it. */
async function streams({ port, token }: Caller): Promise<string> {
  const url = `http://127.0.0.1:${port}/api/v1`;
  const headers = { authorization: `Bearer ${token}` };
  const stop = new AbortController();
  const readers = await Promise.all(
    Array.from({ length: STREAMS }, async () => {
      const { body } = await fetch(`${url}/events?type=run`, { headers, signal: stop.signal });
      return body!.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    }),
  );
  const before = systemClock.monotonic();
  const heard = Promise.all(readers.map(hears));
  const json = { ...headers, 'content-type': 'application/json' };
  await fetch(`${url}/runs`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ kind: 'backup', app: 'clinic' }),
  });
  await heard;
  const took = systemClock.monotonic() - before;
  stop.abort();
  return `${took.toFixed(0)} ms`;
}

async function hears(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  for (let text = ''; !text.includes('event: run.'); ) {
    const { value, done } = await reader.read();
    if (done) throw new Error('a stream ended');
    text += Buffer.from(value).toString();
  }
}

async function rss({ pid }: Caller): Promise<string> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return `${(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024).toFixed(0)} MiB`;
}

function seconds(since: number): string {
  return ((systemClock.monotonic() - since) / 1_000).toFixed(2);
}
