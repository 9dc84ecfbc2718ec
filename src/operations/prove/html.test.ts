import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../../recovery/prove.ts';
import { reportPage } from './html.ts';
import type { ProofReport } from './report.ts';

const HOSTILE = '<script>alert("x")</script>\'`&';

function finding(more: Partial<Finding> = {}): Finding {
  return {
    ...{ check: 'foreign keys', source: HOSTILE, outcome: 'failed', counted: 3, unit: HOSTILE, problems: 9 },
    ...{ details: [`${HOSTILE} 1 rows`], notes: [HOSTILE], unfinished: 0, environment: false, duration_s: 0.1 },
    ...more,
  };
}

function report(more: Partial<ProofReport> = {}): ProofReport {
  return {
    ...{ format: 1, id: HOSTILE, app: HOSTILE, point: HOSTILE, short_id: HOSTILE, label: HOSTILE, by: HOSTILE },
    ...{ point_time: '2026-03-01T08:00:00Z', time: '2026-03-02T08:00:00Z', finished: '2026-03-02T08:01:00Z' },
    ...{ storage: HOSTILE, storages: { [HOSTILE]: HOSTILE }, sample: null },
    moment: { asked: HOSTILE, reached_lsn: HOSTILE, reached_time: null, files_point: HOSTILE },
    ...{ steps: [{ step: HOSTILE, seconds: 1 }], rto_seconds: 12, rto_objective_seconds: 10, total_seconds: 20 },
    checks: [finding()],
    counts: { databases: 1, tables: 1, rows: 2, pages: 3, database_bytes: 4, files: 1, file_bytes: 6 },
    versions: { holdfast: HOSTILE, node: HOSTILE, postgres: { [HOSTILE]: { original: HOSTILE, started: HOSTILE } } },
    machine: {
      ...{ hostname: HOSTILE, system: HOSTILE, kernel: HOSTILE, architecture: HOSTILE, cpu: HOSTILE },
      memory_bytes: 1024,
    },
    ...{ outcome: 'failed', level: null, not_shown: [HOSTILE] },
    failure: { code: HOSTILE, message: HOSTILE, hint: null },
    ...more,
  };
}

test('names written by anybody cannot become part of the page', () => {
  const page = reportPage(report());
  assert.doesNotMatch(page, /<script|alert\("x"\)|'`&(?!#)/);
  assert.ok(page.split('&#60;script&#62;').length > 20, 'they are all there, as text');
});

test('a point without a database is not said to have been started', () => {
  const counts = { ...report().counts, databases: 0 };
  const page = reportPage(report({ counts, outcome: 'passed', level: 'restored', failure: null }));
  assert.doesNotMatch(page, /PostgreSQL started|restored, started/);
  assert.match(page, /It holds no database\./);
});

test('nothing comes from outside, and nothing runs', () => {
  const page = reportPage(report({ app: 'clinic' }));
  assert.doesNotMatch(page, /<(?:link|img|script|iframe|object)|@import|url\(|https?:/i);
});

test('the measured time stands beside the promised one', () => {
  assert.match(reportPage(report()), /12 s; promised: 10 s \(broken\)/);
  assert.match(reportPage(report({ rto_objective_seconds: 60 })), /12 s; promised: 1 min \(kept\)/);
  assert.match(reportPage(report({ rto_objective_seconds: null })), /12 s; nothing is promised/);
});

test('problems beyond those kept are counted', () => {
  assert.match(reportPage(report()), /… and 8 more/);
  assert.match(reportPage(report({ outcome: 'error', checks: [], rto_seconds: null })), /not measured/);
});
