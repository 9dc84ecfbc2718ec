/** The service's own health checks against a real catalog: what is wrong is found, what is right is said. */
import assert from 'node:assert/strict';
import { chmod, mkdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { serviceFacts } from '../../src/alerts/facts.ts';
import { judgeService } from '../../src/alerts/judge.ts';
import { systemClock } from '../../src/base/clock.ts';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { CAPACITY, storageGrowth, USED } from '../../src/catalog/forecast.ts';
import { appHealth } from '../../src/catalog/health.ts';
import { noteRead } from '../../src/catalog/ledger.ts';
import { latest } from '../../src/catalog/measurements.ts';
import { createRun } from '../../src/catalog/runs.ts';
import { noteStorages } from '../../src/catalog/statuses.ts';
import { heartbeat } from '../../src/catalog/workers.ts';
import { loadConfiguration } from '../../src/config/configuration.ts';
import { serviceFindings } from '../../src/server/health-checks.ts';
import { collect } from '../../src/server/metrics/collect.ts';
import { metricsText } from '../../src/server/metrics/route.ts';
import { measureStorages } from '../../src/service/measure-storages.ts';
import { writeConfig } from '../support/holdfast.ts';
import { startPostgres, type TestServer } from '../support/postgres/server.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

const HOUR = 3_600_000;

let server: TestServer;
before(async () => {
  server = await startPostgres({ major: 17 });
});
after(() => server?.[Symbol.asyncDispose]());

const places = {
  SQLite: async (dir: TempDir) => ({ path: dir.join('catalog.sqlite') }),
  PostgreSQL: async () => ({ url: server.url() }),
};

for (const [name, place] of Object.entries(places)) {
  test(`on ${name}, health checks find a service without workers, with runs that wait or fail, with files that others can read`, async () => {
    await using dir = await tempDir();
    const file = await writeConfig(dir.path, {
      repository: { password: { env: 'PASSWORD' } },
      storages: { one: { type: 'local', path: dir.path } },
      apps: { clinic: { sources: { media: { type: 'files', path: dir.path } } } },
      server: { listen: '0.0.0.0:8420' },
      catalog: await place(dir),
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
    const all = await serviceFindings(input);
    for (const area of ['catalog', 'storage one', 'machine of the service', 'backup system', 'security']) {
      const about = all.filter((finding) => finding.about === area);
      assert.ok(about.length > 0, area);
      for (const { severity, what, mend } of about) {
        assert.match(what, /^\S.+\.$/, `${area}: its reason`);
        assert.ok(severity === 'good' || mend !== '', `${what}: what to do`);
      }
    }
    assert.match(all.map(({ what }) => what).join('\n'), /answers in \d+ ms[\s\S]*cores[\s\S]*memory can be had/);
    const mended = await findings();
    assert.match(mended, /without TLS/);
    assert.doesNotMatch(mended, /No worker|waited|failed within|can be read|looked at it/);
  });
}

test('a quota that is paid for says how full a bucket is and when it will be; of a disk and a quota the tighter counts', async () => {
  await using dir = await tempDir();
  const bucket = { type: 's3', bucket: 'backups', accessKeyId: 'a', secretAccessKey: 'b' };
  const file = await writeConfig(dir.path, {
    repository: { password: 'x' },
    storages: {
      cloud: { ...bucket, capacity: '500GB' },
      endless: { ...bucket, prefix: 'endless' },
      disk: { type: 'local', path: dir.path, capacity: '2 MiB' },
      roomy: { type: 'local', path: dir.join('roomy'), capacity: '8 PB' },
    },
  });
  await mkdir(dir.join('roomy'));
  const config = await loadConfiguration({ path: file, env: {}, cwd: dir.path });
  await using catalog = await openCatalog({ path: dir.join('quota.sqlite') });
  const { db } = catalog;
  const now = systemClock.now();
  const start = now - 4 * 24 * HOUR;
  for (let day = 0; day <= 4; day++) {
    const bytes = { cloud: (400 + 10 * day) * 1e9, endless: 1e9, disk: 1_500_000 + day, roomy: 5 };
    for (const [storage, size] of Object.entries(bytes))
      await noteRead(db, storage, [{ object: 'o', bytes: size, good: true }], now);
    await measureStorages(db, config, start + day * 24 * HOUR);
  }
  const [cloud, disk, endless, roomy] = await storageGrowth(db, now);
  assert.deepEqual([cloud?.usedPercent, cloud?.capacityBytes, cloud?.fullOn], [88, 500e9, now + 6 * 24 * HOUR]);
  assert.deepEqual([disk?.usedBytes, disk?.capacityBytes], [1_500_004, 2 * 1024 ** 2]);
  assert.deepEqual([endless?.usedBytes, endless?.capacityBytes], [1e9, undefined]);
  assert.ok(
    roomy?.capacityBytes !== undefined && roomy.capacityBytes < 8e15 && roomy.usedBytes > 5,
    'the disk itself is smaller',
  );
  const { rules } = await config.alerts();
  const { findings } = judgeService(await serviceFacts(catalog, systemClock), rules);
  const full = findings.filter(({ rule, storage }) => rule === 'storage_capacity' && storage === 'cloud');
  assert.match(full[0]?.message ?? '', /^88\.0 % of 466 GiB are used/);
  const text = await metricsText(
    await collect({ catalog, clock: systemClock, apps: [], build: { version: '1', node: '1' } }),
  );
  assert.match(text, /holdfast_storage_capacity_bytes\{storage="cloud"\} 500000000000/);
  assert.match(text, /holdfast_storage_used_bytes\{storage="endless"\} 1000000000/);
  assert.doesNotMatch(text, /capacity_bytes\{storage="endless"/);
});
