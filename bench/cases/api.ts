/** The service as its callers meet it: how soon it answers, what it costs while nothing happens, lists for fifty clients, five hundred streams of events. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { freePort } from '../../src/postgres/free-port.ts';
import { HOLDFAST, holdfastOk, writeConfig } from '../../test/support/holdfast.ts';
import { analyse, fillPoints, fillRuns } from '../data/catalog.ts';
import type { Bench } from '../harness/context.ts';
import type { Figure } from '../harness/results.ts';

const CLIENTS = 50;
const STREAMS = 500;
const SETTLE_MS = 5_000;
const LISTS = [
  '/api/v1/runs',
  '/api/v1/runs?app=app7&limit=50',
  '/api/v1/runs?state=failed',
  '/api/v1/points',
  '/api/v1/points?app=app7',
  '/api/v1/schedules',
];

interface Caller {
  readonly port: number;
  readonly token: string;
}

export const api: Bench = {
  name: 'api',
  title: 'The service: start, memory, lists for fifty clients, five hundred streams',
  async run({ quick, workspace, say }) {
    const [runs, points, calls] = quick ? [20_000, 5_000, 200] : [1_000_000, 100_000, 2_000];
    const directory = join(workspace.path, 'api');
    await mkdir(directory, { recursive: true });
    const port = await freePort();
    const catalogPath = join(directory, 'catalog.sqlite');
    const config = await writeConfig(directory, configuration(port, catalogPath));
    const options = { env: { HOLDFAST_CONFIG: config } };
    await holdfastOk(['init'], options);
    say('filling the catalog …');
    {
      await using catalog = await openCatalog({ path: catalogPath });
      await fillRuns(catalog, runs);
      await fillPoints(catalog, points);
      await analyse(catalog);
    }
    const { summary } = await holdfastOk(['token', 'create', 'bench', '--role', 'administrator', '--json'], options);
    const caller = { port, token: String(summary?.token) };
    const before = systemClock.monotonic();
    const server = spawn(HOLDFAST, ['--config', config, 'serve', '--no-worker'], { stdio: 'ignore' });
    try {
      await ready(caller);
      const figures: Figure[] = [{ what: 'from start to ready', value: `${seconds(before)} s` }];
      await systemClock.sleep(SETTLE_MS);
      figures.push({ what: 'memory while nothing happens', value: await rss(server.pid!) });
      for (const path of LISTS)
        figures.push({ what: `GET ${path}, ${CLIENTS} clients`, value: await latencies(caller, path, calls) });
      figures.push({ what: `${STREAMS} streams, an event to the last of them`, value: await streams(caller) });
      figures.push({ what: 'memory afterwards', value: await rss(server.pid!) });
      return { about: `SQLite, ${runs} runs and ${points} points in the catalog.`, rows: [], figures };
    } finally {
      server.kill('SIGKILL');
      await once(server, 'exit');
    }
  },
};

function configuration(port: number, catalog: string): object {
  return {
    repository: { password: 'correct horse battery staple' },
    storages: { a: { type: 'local', path: './a' } },
    catalog: { path: catalog },
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

async function latencies({ port, token }: Caller, path: string, calls: number): Promise<string> {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const taken: number[] = [];
  let left = calls;
  const client = async () => {
    for (; left > 0; left--) {
      const before = systemClock.monotonic();
      const status = await get({ port, path, agent, headers: { authorization: `Bearer ${token}` } });
      if (status !== 200) throw new Error(`${path} answered ${status}`);
      taken.push(systemClock.monotonic() - before);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  agent.destroy();
  taken.sort((a, b) => a - b);
  const at = (part: number) => `${taken[Math.floor(part * (taken.length - 1))]!.toFixed(1)} ms`;
  return `half within ${at(0.5)}, 99 % within ${at(0.99)}`;
}

function get(options: object): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', ...options }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
    });
    asked.on('error', reject);
    asked.end();
  });
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

async function rss(pid: number): Promise<string> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return `${(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024).toFixed(0)} MiB`;
}

function seconds(since: number): string {
  return ((systemClock.monotonic() - since) / 1_000).toFixed(2);
}
