/** Metrics: names, what the dashboard and the rules of Prometheus ask for, and figures from a real catalog. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { tempDir } from '../../../test/support/temp.ts';
import { manualClock } from '../../base/testing/manual-clock.ts';
import { raise } from '../../catalog/alerts.ts';
import { openCatalog } from '../../catalog/catalog.ts';
import { claimRun, finishRun } from '../../catalog/claim.ts';
import { measure } from '../../catalog/measurements.ts';
import { createRun } from '../../catalog/runs.ts';
import { saveStatus } from '../../catalog/statuses.ts';
import { heartbeat } from '../../catalog/workers.ts';
import { collect } from './collect.ts';
import { METRICS } from './names.ts';
import { metricsText } from './route.ts';

const DOCS = new URL('../../../docs/grafana/', import.meta.url);
const named = (text: string) => new Set<string>(text.match(/holdfast_[a-z_]+/g));

test('every metric has a base unit or counts things, and every label is a word', () => {
  for (const [name, { labels, help }] of Object.entries(METRICS)) {
    assert.match(name, /^holdfast_[a-z]+(_[a-z]+)*$/);
    assert.doesNotMatch(name, /_(ms|milliseconds|minutes|hours|days|kib|mib|gib|percent)(_|$)/);
    assert.ok(help.length > 0);
    for (const label of labels) assert.match(label, /^[a-z_]+$/);
  }
});

test('the dashboard and the rules ask only for metrics that there are, and the dashboard shows all of them', async () => {
  const dashboard = await readFile(new URL('dashboard.json', DOCS), 'utf8');
  const rules = await readFile(new URL('alerts.yaml', DOCS), 'utf8');
  const known = new Set(Object.keys(METRICS));
  const shown = named(dashboard);
  assert.deepEqual(
    [...shown, ...named(rules)].filter((name) => !known.has(name)),
    [],
  );
  assert.deepEqual(
    [...known].filter((name) => !shown.has(name)),
    [],
  );
  const { panels } = JSON.parse(dashboard) as { panels: { id: number; targets: { expr: string }[] }[] };
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const { groups } = parse(rules) as { groups: { rules: { alert: string; expr: string }[] }[] };
  for (const { alert, expr } of groups.flatMap((group) => group.rules)) assert.ok(alert && expr, alert);
});

test('labels that the dashboard and the rules select by are those that the metrics have', async () => {
  for (const file of ['dashboard.json', 'alerts.yaml']) {
    const text = (await readFile(new URL(file, DOCS), 'utf8')).replaceAll('\\"', '"');
    for (const [, name = '', selectors = ''] of text.matchAll(/(holdfast_[a-z_]+)\{([^}]*)\}/g)) {
      const asked = [...selectors.matchAll(/([a-z_]+)=~?"/g)].map(([, label]) => label!);
      const { labels } = METRICS[name as keyof typeof METRICS];
      assert.deepEqual(
        asked.filter((label) => !(labels as readonly string[]).includes(label)),
        [],
        `${file}: ${name}`,
      );
    }
  }
});

test('figures come from the catalog alone: runs, points, promises, storages, alerts, workers', async () => {
  await using directory = await tempDir();
  await using catalog = await openCatalog({ path: join(directory.path, 'c.sqlite') });
  const { db } = catalog;
  const clock = manualClock();
  const now = clock.now();
  for (const [at, state] of (['succeeded', 'failed'] as const).entries()) {
    await createRun(db, { app: 'clinic', kind: 'backup', trigger: 'api' }, now + at);
    const run = await claimRun(catalog, { id: 'w', labels: {} }, now + at, 60_000);
    await finishRun(db, run!, { state }, now + 90_000);
  }
  await measure(db, [{ name: 'storage_used_bytes', storage: 'local', value: 5 }], now);
  await measure(db, [{ name: 'storage_capacity_bytes', storage: 'local', value: 10 }], now);
  const objectives = [{ objective: 'rpo', promised: 60, actual: 90, state: 'broken' }];
  const wal = [{ source: 'database', loss: { seconds: 90 }, gaps: [{ next_point: null }, { next_point: 'p' }] }];
  await saveStatus(db, 'clinic', { objectives, wal, storages: [{ storage: 'local', state: 'good' }] }, now);
  const attack = { rule: 'entropy_jump', cause: 'e', severity: 'CRITICAL', app: 'clinic', title: 't' } as const;
  await raise(db, { ...attack, message: '"quoted"\n', freezesRetention: true }, now);
  await heartbeat(db, { id: 'w', name: 'north', labels: {}, role: 'worker', version: '1' }, now);
  const build = { version: '1.0.0', node: '24' };
  const text = await metricsText(await collect({ catalog, clock, apps: ['clinic'], build }));
  const lines = new Set(text.split('\n'));
  const start = now / 1000;
  for (const line of [
    'holdfast_build_info{version="1.0.0",node="24"} 1',
    `holdfast_last_success_timestamp_seconds{app="clinic",kind="backup"} ${start + 90}`,
    'holdfast_last_run_succeeded{app="clinic",kind="backup"} 0',
    'holdfast_last_run_duration_seconds{app="clinic",kind="backup"} 90',
    'holdfast_objective_kept{app="clinic",objective="rpo"} 0',
    'holdfast_objective_actual_seconds{app="clinic",objective="rpo"} 90',
    'holdfast_wal_loss_seconds{app="clinic",source="database"} 90',
    'holdfast_wal_gaps{app="clinic",source="database"} 1',
    'holdfast_storage_state{storage="local",state="good"} 1',
    'holdfast_storage_used_bytes{storage="local"} 5',
    'holdfast_storage_capacity_bytes{storage="local"} 10',
    'holdfast_alerts{severity="CRITICAL",state="ACTIVE"} 1',
    'holdfast_retention_frozen{app="clinic"} 1',
    'holdfast_workers{role="worker"} 1',
    `holdfast_worker_seen_timestamp_seconds{worker="north",role="worker"} ${start}`,
    'holdfast_runs{state="queued"} 0',
  ])
    assert.ok(lines.has(line), line);
  for (const name of Object.keys(METRICS)) assert.ok(text.includes(`# TYPE ${name} gauge`), name);
});
