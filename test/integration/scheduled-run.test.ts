/** What a schedule starts is the command that a person starts: the same configuration, the same secrets, the same options. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { manualClock } from '../../src/base/testing/manual-clock.ts';
import { type Catalog, openCatalog } from '../../src/catalog/catalog.ts';
import { claimRun } from '../../src/catalog/claim.ts';
import { getRun, type Run } from '../../src/catalog/runs.ts';
import { type Configuration, loadConfiguration } from '../../src/config/configuration.ts';
import { declaredSchedules } from '../../src/scheduler/declared.ts';
import { carryOut, processes } from '../../src/scheduler/runner.ts';
import { Ticker } from '../../src/scheduler/ticker.ts';
import { PASSWORD } from '../support/care.ts';
import { HOLDFAST } from '../support/holdfast.ts';
import { type BackupApp, backupApp } from './fixtures/backup-app.ts';

const HOUR = 3_600_000;
const signal = new AbortController().signal;

test('a scheduled run has the storages, the encryption and the options of the command', async () => {
  const schedules = [{ run: 'backup', every: 'hourly', jitter: '0s', with: { source: ['media'], label: 'nightly' } }];
  await using app = await backupApp({ here: true, config: ['as-made.yaml'], copies: 2, app: { schedules } });
  await writeFile(join(app.media, 'file'), 'content');
  await keepPasswordElsewhere(app);
  await app.backUp(['--source=media', '--label=nightly']);
  const run = await runOnSchedule(app);
  assert.deepEqual([run.state, run.trigger, run.error], ['succeeded', 'schedule', undefined]);

  const points = (await app.ok(['points', '--json'])).document<Record<string, unknown>[]>();
  const told = points.map(({ label, sources, storages }) => ({ label, sources, storages }));
  assert.equal(told.length, 2);
  assert.deepEqual(told[0], told[1], 'nothing tells the one from the other');
  assert.deepEqual(told[0], { label: 'nightly', sources: ['media'], storages: ['a', 'b'] });
  await app.assertWhole();
});

/** The password comes from a file beside the configuration: whoever cannot look it up there opens no storage. */
async function keepPasswordElsewhere({ configFile, dir }: BackupApp): Promise<void> {
  await writeFile(dir.join('password'), `${PASSWORD}\n`, { mode: 0o600 });
  const configuration = parse(await readFile(configFile, 'utf8'));
  configuration.repository.password = { file: './password' };
  configuration.verification = { sample: 'off', afterBackup: false };
  await writeFile(configFile, stringify(configuration));
}

/** Lets an hour pass: what the schedules of the file ask for then is carried out by a process of its own. */
async function runOnSchedule({ configFile, dir }: BackupApp): Promise<Run> {
  const configuration = await loadConfiguration({ path: configFile, cwd: dir.path, env: {} });
  const clock = manualClock();
  await using catalog = await openCatalog({ path: dir.join('catalog.sqlite') });
  const ticker = new Ticker({ catalog, clock, holder: 'here', declared: () => declared(configuration), onProblem });
  await ticker.tick();
  await clock.advance(HOUR);
  await ticker.tick();
  return await carriedOut(catalog, configuration, clock);
}

async function carriedOut(catalog: Catalog, configuration: Configuration, clock: ReturnType<typeof manualClock>) {
  const run = await claimRun(catalog, { id: 'here', labels: {} }, clock.now(), HOUR);
  const deps = {
    ...{ catalog, clock, words: ['--config', configuration.file], leaseMs: HOUR, graceMs: HOUR },
    start: processes({ command: [HOLDFAST], env: process.env, cwd: configuration.directory }),
  };
  await carryOut(run!, deps, signal);
  return (await getRun(catalog.db, run!.id))!;
}

async function declared(configuration: Configuration) {
  const [plan, verification] = [await configuration.plan('clinic'), await configuration.verification()];
  return declaredSchedules({ plans: [plan], verification, storages: configuration.storageNames, timezone: 'UTC' });
}

function onProblem(message: string, cause: unknown): never {
  throw new Error(message, { cause });
}
