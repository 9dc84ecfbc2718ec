import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toRun } from '../../catalog/run.ts';
import type { RunsTable } from '../../catalog/schema.ts';
import { jsonText } from '../json.ts';
import { showRun } from './run.ts';
import { runText } from './run-text.ts';

const BARE: RunsTable = {
  ...{ id: '0'.repeat(26), app: 'clinic', kind: 'backup', params: '{}', state: 'queued', priority: 0, trigger: 'api' },
  ...{ reason: null, requested_by: null, schedule_id: null, scheduled_for: null, after_run: null, labels: '{}' },
  ...{ exclusive: null, dedupe: null, not_before: 0, attempt: 1, max_attempts: 3, time_limit_ms: null, created_at: 0 },
  ...{ started_at: null, finished_at: null, worker: null, fence: 0, lease_until: null, cancel_requested: 0 },
  ...{ cancelled_by: null, progress: null, outcome: null, error_code: null, error_message: null, error_hint: null },
};

const FULL: RunsTable = {
  ...{ id: '1'.repeat(26), app: '"ap\\p"', kind: 'che\nck', state: 'failed', priority: -5, trigger: 'catch-up' },
  ...{ params: '{"sources":["a\\"b"],"deep":{"n":1.5}}', labels: '{"site":"north"}' },
  ...{
    reason: 'said "no"\u{1f512}\u2028',
    requested_by: 'anna\t',
    schedule_id: '2'.repeat(26),
    after_run: '3'.repeat(26),
  },
  ...{ scheduled_for: 1_763_722_800_123, exclusive: 'x', dedupe: 'y', not_before: 1_763_722_801_000, attempt: 2 },
  ...{ max_attempts: 3, time_limit_ms: 1_500, created_at: 1, started_at: 2, finished_at: 86_400_000, worker: 'w"1' },
  ...{ fence: 7, lease_until: 9, cancel_requested: 1, cancelled_by: 'é', progress: '{"done":1}', outcome: '{"x":[]}' },
  ...{ error_code: 'storage_unreachable', error_message: 'The "s3"\n', error_hint: 'Look \\ there.' },
};

test('a row of a run is written as that run is shown, character for character', () => {
  const rows = [BARE, FULL, { ...FULL, error_hint: null }, { ...FULL, error_message: null }];
  for (const row of rows) assert.equal(runText(row), jsonText(showRun(toRun(row))));
});
