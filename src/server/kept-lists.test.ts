import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { quiet } from '../base/log.ts';
import { manualClock } from '../base/testing/manual-clock.ts';
import { type Catalog, openCatalog } from '../catalog/catalog.ts';
import { noteStorages } from '../catalog/statuses.ts';
import { type Configuration, loadConfiguration } from '../config/configuration.ts';
import { createApp, type ServerApp } from './app.ts';
import type { AccessControl } from './principal.ts';

const clock = manualClock();
let directory: string;
let catalog: Catalog;
let config: Configuration;
let app: ServerApp;

/** Whoever asks names the apps that they may look at. */
const access: AccessControl = {
  async authenticate(context) {
    const apps = context.req.header('apps') ?? '*';
    const may = (asked: string) => apps === '*' || apps.split(',').includes(asked);
    return { kind: 'user', id: apps, name: apps, role: (asked) => (may(asked) ? 'administrator' : undefined) };
  },
};

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-lists-'));
  catalog = await openCatalog({ path: join(directory, 'catalog.sqlite') });
  config = await configured(['a'], ['clinic', 'shop']);
  const { signal } = new AbortController();
  const build = { version: '0.0.0-test', node: process.versions.node, platform: 'test' };
  app = createApp({ ...{ catalog, clock, config: () => config, build, env: {}, log: quiet, access, signal } });
});

after(async () => {
  await app[Symbol.asyncDispose]();
  await catalog[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

async function configured(storages: readonly string[], apps: readonly string[]): Promise<Configuration> {
  const path = join(directory, `${storages.join()}.yaml`);
  const sources = { media: { type: 'files', path: directory } };
  const file = {
    ...{ version: 1, repository: { password: 'p' } },
    storages: Object.fromEntries(storages.map((name) => [name, { type: 'local', path: join(directory, name) }])),
    apps: Object.fromEntries(apps.map((name) => [name, { sources }])),
  };
  await writeFile(path, JSON.stringify(file), { mode: 0o600 });
  return loadConfiguration({ path, env: {}, cwd: directory });
}

/** What is at `path`, asked three times: by the first who ask, and by two who may hear what was kept. */
async function items<T>(path: string, apps = '*'): Promise<readonly T[]> {
  const answers: string[] = [];
  for (const _ of [1, 2, 3]) {
    const request = new Request(`http://holdfast.test/api/v1/${path}`, { headers: { apps } });
    answers.push(await (await app.fetch(request)).text());
  }
  assert.deepEqual(new Set(answers).size, 1);
  return (JSON.parse(answers[0]!) as { readonly items: readonly T[] }).items;
}

test('storages: as the catalog knows them now, and as they are configured now', async () => {
  const states = async () =>
    (await items<{ readonly name: string; readonly state: string }>('storages')).map(({ name, state }) => [
      name,
      state,
    ]);
  assert.deepEqual(await states(), [['a', 'unknown']]);
  await noteStorages(catalog.db, [{ storage: 'a', state: 'good' }], clock.now());
  assert.deepEqual(await states(), [['a', 'good']]);
  config = await configured(['a', 'b'], ['clinic', 'shop']);
  assert.deepEqual(await states(), [
    ['a', 'good'],
    ['b', 'unknown'],
  ]);
});

test('health: of the apps that one may look at, however often others asked before', async () => {
  const apps = async (who: string) => (await items<{ readonly app: string }>('health', who)).map((each) => each.app);
  assert.deepEqual(await apps('*'), ['clinic', 'shop']);
  assert.deepEqual(await apps('shop'), ['shop']);
  assert.deepEqual(await apps('clinic'), ['clinic']);
});

test('a mute is listed until its time is over', async () => {
  const until = clock.now() + 5_000;
  await app.fetch(
    new Request('http://holdfast.test/api/v1/alert-mutes', {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({ until: new Date(until).toISOString(), app: 'clinic' }),
    }),
  );
  assert.equal((await items('alert-mutes')).length, 1);
  await clock.advance(4_999);
  assert.equal((await items('alert-mutes')).length, 1);
  await clock.advance(1);
  assert.equal((await items('alert-mutes')).length, 0);
});
