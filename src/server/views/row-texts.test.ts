import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { listAlertRows, listAlerts } from '../../catalog/alerts.ts';
import type { Approval } from '../../catalog/approvals.ts';
import { type Catalog, openCatalog } from '../../catalog/catalog.ts';
import { listDeliveries, listDeliveryRows } from '../../catalog/deliveries.ts';
import { toRun } from '../../catalog/run.ts';
import { pageOfSchedules } from '../../catalog/schedule-pages.ts';
import { addSchedule, getSchedule } from '../../catalog/schedules.ts';
import type { AlertsTable, DeliveriesTable, RunsTable } from '../../catalog/schema.ts';
import { approvalText, showApproval } from '../access/views.ts';
import { jsonText } from '../json.ts';
import { showAlert, showDelivery } from './alert.ts';
import { alertText, deliveryText } from './alert-text.ts';
import { jobText, showJob } from './backup.ts';
import { showSchedule } from './schedule.ts';
import { scheduleText } from './schedule-text.ts';

const NOW = 1_763_722_800_123;
const SAID = 'said "no"\u{1f512}\u2028\\\n';

let directory: string;
let catalog: Catalog;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-texts-'));
  catalog = await openCatalog({ path: join(directory, 'catalog.sqlite') });
});

after(async () => {
  await catalog[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

const alert: AlertsTable = {
  ...{ id: '0'.repeat(26), rule: 'backup_failure', cause: 'backup_failure:clinic', severity: 'ERROR', state: 'ACTIVE' },
  ...{ app: null, storage: null, run_id: null, title: 'It failed', message: SAID, details: '{}', count: 1 },
  ...{ first_at: 0, last_at: NOW, acknowledged_by: null, acknowledged_at: null, acknowledge_note: null },
  ...{ resolved_by: null, resolved_at: null, resolve_note: null, muted_until: null, muted_by: null, escalation: 0 },
  ...{ escalate_at: null, freezes_retention: 0, evidence: null },
};

test('a row of an alert is written as that alert is shown, character for character', async () => {
  const acknowledged = { acknowledged_by: SAID, acknowledged_at: NOW, state: 'ACKNOWLEDGED' as const };
  const over = { state: 'RESOLVED' as const, resolved_at: NOW + 1, freezes_retention: 1 as const };
  const rows: readonly AlertsTable[] = [
    alert,
    { ...alert, ...acknowledged, app: SAID, storage: 's3', run_id: '1'.repeat(26), details: '{"a":[1.5,"\\n"]}' },
    { ...alert, ...acknowledged, acknowledge_note: SAID, muted_until: NOW, muted_by: SAID, escalation: 2 },
    { ...alert, ...over },
    { ...alert, ...over, resolved_by: 'anna', resolve_note: SAID },
  ].map((row, n) => ({ ...row, id: `${n}`.repeat(26), cause: `${row.cause}:${n}` }));
  await catalog.db.insertInto('alerts').values(rows).execute();
  const shown = (await listAlerts(catalog.db, { limit: 9 })).alerts.map((each) => jsonText(showAlert(each)));
  assert.equal(shown.length, rows.length);
  assert.deepEqual((await listAlertRows(catalog.db, { limit: 9 })).rows.map(alertText), shown);
});

test('a row of a delivery is written as that delivery is shown', async () => {
  const bare: DeliveriesTable = {
    ...{ id: '0'.repeat(26), alert_id: null, channel: 'mail', event: 'fire', state: 'pending', digest: null },
    ...{ attempts: 0, next_at: NOW, created_at: NOW, sent_at: null, body: '', status: null, error: null },
  };
  const full = {
    alert_id: '1'.repeat(26),
    digest: '2'.repeat(26),
    status: '250',
    error: SAID,
    body: '{"text":"a\\n"}',
  };
  const rows: readonly DeliveriesTable[] = [
    bare,
    { ...bare, ...full, id: '1'.repeat(26), channel: SAID, state: 'sent', sent_at: NOW + 5 },
  ];
  await catalog.db.insertInto('deliveries').values(rows).execute();
  const shown = (await listDeliveries(catalog.db, { limit: 9 })).deliveries.map((each) => jsonText(showDelivery(each)));
  assert.equal(shown.length, rows.length);
  assert.deepEqual((await listDeliveryRows(catalog.db, { limit: 9 })).rows.map(deliveryText), shown);
});

test('a row of a schedule is written as that schedule is shown', async () => {
  const bare = {
    ...{ app: 'clinic', kind: 'backup', name: 'a', params: {}, cron: '0 2 * * *', timezone: 'UTC', jitterMs: 0 },
    ...{ catchUp: true, blackout: [], priority: 0, retries: 3, labels: {}, enabled: true, origin: 'api' as const },
  };
  const full = {
    ...{ name: SAID, params: { sources: ['a'] }, jitterMs: 1_500, catchUp: false, priority: -5, timeLimitMs: 7_250 },
    ...{ blackout: [{ from: '08:00', to: '18:00', days: ['mon'] }], afterSchedule: 'a', labels: { site: 'north' } },
    ...{ enabled: false, origin: 'file' as const },
  };
  await addSchedule(catalog.db, bare, { evaluatedUntil: NOW, nextAt: null }, NOW);
  await addSchedule(catalog.db, { ...bare, ...full }, { evaluatedUntil: NOW, nextAt: NOW + 9 }, NOW);
  const { schedules } = await pageOfSchedules(catalog.db, { limit: 9 });
  assert.equal(schedules.length, 2);
  for (const row of schedules)
    assert.equal(scheduleText(row), jsonText(showSchedule((await getSchedule(catalog.db, row.id))!)));
});

test('a row of an approval is written as that approval is shown', () => {
  const bare: Approval = {
    ...{ id: '0'.repeat(26), action: 'restore', app: null, params: '{}', reason: null, state: 'pending' },
    ...{ requested_by: 'a', requested_at: 0, expires_at: NOW, decided_by: null, decided_at: null, run_id: null },
  };
  const decided = { app: SAID, params: '{"to":"\\u2028\\n"}', reason: SAID, state: 'approved' as const };
  const names = new Map([['a', SAID]]);
  for (const row of [
    bare,
    { ...bare, ...decided, decided_by: 'a', decided_at: NOW, run_id: '1'.repeat(26) },
    { ...bare, ...decided, requested_by: 'token:1', decided_by: 'gone' },
  ])
    assert.deepEqual(JSON.parse(approvalText(row, names)), showApproval(row, names));
});

test('a row of a run is written as its job is shown', () => {
  const bare: RunsTable = {
    ...{
      id: '0'.repeat(26),
      app: 'clinic',
      kind: 'backup',
      params: '{}',
      state: 'queued',
      priority: 0,
      trigger: 'api',
    },
    ...{ reason: null, requested_by: null, schedule_id: null, scheduled_for: null, after_run: null, labels: '{}' },
    ...{ exclusive: null, dedupe: null, not_before: 0, attempt: 1, max_attempts: 3, time_limit_ms: null },
    ...{ created_at: 0, started_at: null, finished_at: null, worker: null, fence: 0, lease_until: null },
    ...{ cancel_requested: 0, cancelled_by: null, progress: null, outcome: null, error_code: null },
    ...{ error_message: null, error_hint: null },
  };
  const begun = { ...bare, started_at: NOW, schedule_id: '2'.repeat(26), reason: SAID };
  const rows: readonly RunsTable[] = [
    bare,
    begun,
    { ...begun, state: 'succeeded', finished_at: NOW + 1_234, outcome: '{"point":"ffff"}' },
    { ...begun, state: 'failed', outcome: '{"point":7}', error_code: 'internal', error_message: SAID },
    { ...begun, state: 'failed', error_code: 'internal' },
  ];
  for (const row of rows) assert.equal(jobText(row), jsonText(showJob(toRun(row))));
});
