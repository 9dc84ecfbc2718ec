/** The service's own health checks against a real catalog: what is wrong is found, what is right is said. */
import assert from 'node:assert/strict';
import { chmod } from 'node:fs/promises';
import { test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { CAPACITY, storageGrowth, USED } from '../../src/catalog/forecast.ts';
import { appHealth } from '../../src/catalog/health.ts';
import { latest } from '../../src/catalog/measurements.ts';
import { createRun } from '../../src/catalog/runs.ts';
import { noteStorages } from '../../src/catalog/statuses.ts';
import { heartbeat } from '../../src/catalog/workers.ts';
import { loadConfiguration } from '../../src/config/configuration.ts';
import { serviceFindings } from '../../src/server/health-checks.ts';
import { measureStorages } from '../../src/service/measure-storages.ts';
import { writeConfig } from '../support/holdfast.ts';
import { tempDir } from '../support/temp.ts';

const HOUR = 3_600_000;

test('health checks find a service without workers, with runs that wait or fail, with files that others can read', async () => {
  await using dir = await tempDir();
  const file = await writeConfig(dir.path, {
    repository: { password: { env: 'PASSWORD' } },
    storages: { one: { type: 'local', path: dir.path } },
    apps: { clinic: { sources: { media: { type: 'files', path: dir.path } } } },
    server: { listen: '0.0.0.0:8420' },
  });
  const config = await loadConfiguration({ path: file, env: {}, cwd: dir.path });
  await using catalog = await openCatalog(await config.catalog());
  const input = { catalog, config, clock: systemClock };
  const now = systemClock.now();
  const findings = async () => {
    const found = await serviceFindings(input);
    return found
      .filter(({ severity }) => severity !== 'good')
      .map(({ about, what }) => `${about}: ${what}`)
      .join('\n');
  };

  const ask = { app: 'clinic', kind: 'backup', trigger: 'cli' } as const;
  await createRun(catalog.db, { ...ask, notBefore: now - 2 * HOUR }, now);
  const { run } = await createRun(catalog.db, ask, now);
  await catalog.db.updateTable('runs').set({ state: 'failed', finished_at: now }).where('id', '=', run.id).execute();
  await chmod(file, 0o644);
  await measureStorages(catalog.db, config, now);
  await measureStorages(catalog.db, config, now + 1); // too soon for another
  const wrong = await findings();
  for (const expected of [
    /No worker/,
    /waited for 2 ?h/,
    /1 runs failed/,
    /can be read/,
    /without TLS/,
    /Nobody has looked/,
    /Nothing is scheduled/,
  ])
    assert.match(wrong, expected);

  const [growth] = await storageGrowth(catalog.db, now);
  assert.ok(
    growth !== undefined &&
      growth.usedBytes > 0 &&
      growth.capacityBytes! > growth.usedBytes &&
      growth.fullOn === undefined,
  );
  assert.deepEqual([(await latest(catalog.db, USED))[0]?.at, (await latest(catalog.db, CAPACITY)).length], [now, 1]);
  const health = await appHealth(catalog.db, 'clinic', now);
  assert.deepEqual([health.reasons[0]?.reason, health.reasons[1]?.reason], ['never_looked', 'backup_failed']);

  await chmod(file, 0o600);
  await heartbeat(catalog.db, { id: 'w', name: 'w', labels: {}, role: 'serve', version: '1' }, now);
  await noteStorages(catalog.db, [{ storage: 'one', state: 'good' }], now);
  await catalog.db.deleteFrom('runs').execute();
  const mended = await findings();
  assert.match(mended, /without TLS/);
  assert.doesNotMatch(mended, /No worker|waited|failed within|can be read|looked at it/);
});
