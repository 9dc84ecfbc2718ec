import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HealthFacts, judgeHealth } from './health.ts';
import type { Run } from './runs.ts';

const DAY = 24 * 3_600_000;
const NOW = Date.UTC(2026, 10, 21, 3);

const ended = (state: Run['state'], age = 0) => ({ state, finishedAt: NOW - age }) as Run;
const GOOD: HealthFacts = {
  app: 'clinic',
  now: NOW,
  status: {
    at: NOW - 60_000,
    report: {
      points: 12,
      objectives: [{ objective: 'rpo', state: 'kept', because: '' }],
      storages: [{ storage: 'local', state: 'good' }],
      last_proof: { outcome: 'passed', time: new Date(NOW - 3 * DAY).toISOString() },
    },
  },
  last: { backup: ended('succeeded'), verify: ended('succeeded', DAY), drill: ended('succeeded', 30 * DAY) },
};
const withReport = (more: object): HealthFacts => ({
  ...GOOD,
  status: { at: GOOD.status!.at, report: { ...GOOD.status!.report, ...more } },
});

test('fresh evidence of everything is worth a hundred', () => {
  assert.deepEqual(judgeHealth(GOOD), { app: 'clinic', score: 100, reasons: [] });
});

const CASES: readonly (readonly [string, HealthFacts, string, number])[] = [
  ['nobody looked', { ...GOOD, status: undefined }, 'never_looked', 60],
  ['nobody looked for days', { ...GOOD, now: NOW + 2 * DAY }, 'not_looked', 40],
  ['no point', withReport({ points: 0 }), 'no_point', 100],
  [
    'too much would be lost',
    withReport({ objectives: [{ objective: 'rpo', state: 'broken', because: 'x' }] }),
    'rpo_broken',
    40,
  ],
  ['never proven', withReport({ last_proof: null }), 'never_proven', 20],
  [
    'an old proof',
    withReport({ last_proof: { outcome: 'passed', time: new Date(NOW - 100 * DAY).toISOString() } }),
    'proof_old',
    20,
  ],
  [
    'a proof that failed',
    withReport({ last_proof: { outcome: 'failed', time: new Date(NOW).toISOString() } }),
    'proof_failed',
    40,
  ],
  ['a damaged storage', withReport({ storages: [{ storage: 's3', state: 'damaged' }] }), 'storage_damaged', 25],
  ['a backup that failed', { ...GOOD, last: { ...GOOD.last, backup: ended('failed') } }, 'backup_failed', 15],
  ['nothing read back', { ...GOOD, last: { ...GOOD.last, verify: ended('succeeded', 9 * DAY) } }, 'not_read_back', 5],
  ['no drill', { ...GOOD, last: { ...GOOD.last, drill: undefined } }, 'no_drill', 5],
];

for (const [name, facts, reason, points] of CASES) {
  test(`${name}: costs its points and says why`, () => {
    const { score, reasons } = judgeHealth(facts);
    assert.deepEqual(
      reasons.map((each) => [each.reason, each.points]),
      [[reason, points]],
    );
    assert.equal(score, 100 - points);
  });
}
