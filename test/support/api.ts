/** A server of the HTTP API on a real repository and a SQLite catalog, with tokens of the tests' own, and a worker where it is wanted. */
import { writeFile } from 'node:fs/promises';
import { systemClock } from '../../src/base/clock.ts';
import { Failure } from '../../src/base/failure.ts';
import { quiet } from '../../src/base/log.ts';
import { type Catalog, openCatalog } from '../../src/catalog/catalog.ts';
import { replacePoints } from '../../src/catalog/points.ts';
import type { Role } from '../../src/catalog/schema.ts';
import { type Configuration, loadConfiguration } from '../../src/config/configuration.ts';
import { listPoints } from '../../src/operations/list-points.ts';
import { openSession } from '../../src/operations/open-session.ts';
import { processes } from '../../src/scheduler/runner.ts';
import { work } from '../../src/scheduler/worker.ts';
import { createApp, type ServerApp } from '../../src/server/app.ts';
import type { Limits } from '../../src/server/deps.ts';
import type { AccessControl, Principal } from '../../src/server/principal.ts';
import { listen } from '../../src/service/listen.ts';
import type { ServiceWorld } from '../../src/service/world.ts';
import { HOLDFAST } from './holdfast.ts';
import { type TempDir, tempDir } from './temp.ts';

export interface ApiServer extends AsyncDisposable {
  readonly url: string;
  readonly app: ServerApp;
  readonly catalog: Catalog;
  readonly config: Configuration;
  readonly dir: TempDir;
  /** A file that holds the administrator's token. */
  readonly tokenFile: string;
  /** Asks as `who`, an administrator when left out. */
  ask(path: string, options?: AskOptions): Promise<Response>;
  /** The catalog's points, as the storages tell them now. */
  refreshPoints(): Promise<void>;
}

export interface AskOptions extends Omit<RequestInit, 'body'> {
  readonly who?: string;
  readonly json?: unknown;
  readonly body?: string;
}

export interface ApiOptions {
  readonly configFile: string;
  readonly limits?: Partial<Limits>;
  readonly worker?: boolean;
  readonly catalogPath?: string;
}

const token = (who: string) => `hf_test_${who}`;

/** Tokens name a role, or `ROLE@APP` for one app: `viewer`, `operator@clinic`. */
const testAccess: AccessControl = {
  async authenticate(context): Promise<Principal | undefined> {
    const header = context.req.header('authorization');
    if (header === undefined) return undefined;
    const [, role, app = '*'] = /^Bearer hf_test_(viewer|operator|administrator)(?:@(.+))?$/.exec(header) ?? [];
    if (role === undefined) throw new Failure('unauthenticated', 'No such token.');
    const has = (asked: string) => (app === '*' || app === asked ? (role as Role) : undefined);
    return { kind: 'token', id: `${role}@${app}`, name: role, role: has };
  },
};

export async function apiServer({ configFile, limits = {}, worker = false, ...more }: ApiOptions): Promise<ApiServer> {
  const dir = await tempDir({ prefix: 'hfapi' });
  const stop = new AbortController();
  const config = await loadConfiguration({ path: configFile, env: process.env, cwd: dir.path });
  const catalog = await openCatalog({ path: more.catalogPath ?? dir.join('catalog.sqlite') });
  const app = createApp({
    ...{ catalog, clock: systemClock, config: () => config, env: process.env, log: quiet, access: testAccess, limits },
    build: { version: '0.0.0-test', node: process.versions.node, platform: 'test' },
    signal: stop.signal,
  });
  const place = { ...(await config.server()), host: '127.0.0.1', port: 0 };
  const world = { clock: systemClock, log: quiet, signal: stop.signal };
  const listening = await listen((request, bindings) => app.fetch(request, bindings), place, world as ServiceWorld);
  const working = worker ? startWorker(catalog, config, stop.signal) : Promise.resolve();
  const tokenFile = dir.join('token');
  await writeFile(tokenFile, `${token('administrator')}\n`, { mode: 0o600 });
  return {
    ...{ url: listening.url, app, catalog, config, dir, tokenFile },
    ask: (
      path,
      {
        who = 'administrator',
        json,
        headers,
        body = json === undefined ? undefined : JSON.stringify(json),
        ...options
      } = {},
    ) =>
      fetch(new URL(path, listening.url), {
        ...{ redirect: 'manual', ...options },
        ...(body === undefined ? {} : { body }),
        headers: {
          ...(who === '' ? {} : { authorization: `Bearer ${token(who)}` }),
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...(headers as Record<string, string> | undefined),
        },
      }),
    refreshPoints: () => refreshPoints(catalog, config),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await listening.close(1_000);
      await working;
      await app[Symbol.asyncDispose]();
      await catalog[Symbol.asyncDispose]();
      await dir.remove();
    },
  };
}

function startWorker(catalog: Catalog, config: Configuration, signal: AbortSignal): Promise<void> {
  return work(
    {
      ...{ catalog, clock: systemClock, concurrency: 2, leaseMs: 30_000, graceMs: 5_000, pollMs: 1_000 },
      ...{ heartbeatMs: 10_000, drainMs: 100 },
      self: { id: 'test-worker', name: 'test', labels: {}, role: 'worker', version: '0' },
      start: processes({ command: [HOLDFAST], env: process.env, cwd: config.directory }),
      words: ['--config', config.file],
      onProblem: () => {},
    },
    signal,
  );
}

async function refreshPoints(catalog: Catalog, config: Configuration): Promise<void> {
  const world = { clock: systemClock, signal: new AbortController().signal, progress: () => {} };
  await using session = await openSession(config, world);
  for (const app of config.appNames) {
    const { points } = await listPoints(session, { app, sources: [] });
    const rows = points.map(({ short_id: _short, time, label, ...point }) => ({
      ...point,
      time: Date.parse(time),
      ...(label === null ? {} : { label }),
    }));
    await replacePoints(catalog.db, app, rows, systemClock.now());
  }
}
