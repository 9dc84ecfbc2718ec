/** What alerts look for, with the figures from which on something is wrong. */

import { choice, count, duration, mapping, toggle } from './scalars.ts';

const common = {
  enabled: toggle('Whether it is looked for.').default(true),
  severity: choice('How urgent it is. Absent: what fits the finding.', [
    'INFO',
    'WARNING',
    'ERROR',
    'CRITICAL',
  ]).optional(),
};

const plain = (description: string) => mapping(common).describe(description).prefault({});

const percent = (description: string, most = 100) => count(description, 1, most);

export const alertRules = mapping({
  backup_failure: plain('A backup failed, or is complete only in part.'),
  size_deviation: mapping({
    ...common,
    percent: percent('A point differs by more than this from what is usual.', 1_000).default(20),
    collapse: percent('It has lost more than this: much more urgent.').default(70),
    explosion: percent('It has grown by more than this: more urgent.', 100_000).default(300),
  })
    .describe('A point is much smaller or larger than usual.')
    .prefault({}),
  duration: mapping({
    ...common,
    percent: percent('A backup takes longer than this part of what is usual.', 10_000).default(200),
    least: duration('Shorter ones are never too long.').default('1m'),
  })
    .describe('A backup takes much longer than usual.')
    .prefault({}),
  storage_capacity: mapping({
    ...common,
    percent: percent('A storage is fuller than this.').default(80),
    critical: percent('Fuller than this is critical.').default(95),
  })
    .describe('A storage is running full.')
    .prefault({}),
  integrity_failure: plain('A check found something damaged or missing.'),
  restore_failure: plain('A restore failed.'),
  proof_failed: plain('A test restore failed, or found something wrong.'),
  proof_too_old: mapping({
    ...common,
    after: duration('The last proof that passed is older than this.').default('40d'),
  })
    .describe('No point was proven for long.')
    .prefault({}),
  wal_lag: mapping({
    ...common,
    after: duration('More than this would be lost. Absent: what objectives.rpo promises, or 5m.').optional(),
  })
    .describe('The WAL archive is behind its database.')
    .prefault({}),
  wal_gap: plain('The WAL archive has a gap: moments in it cannot be restored.'),
  objective_broken: plain('A promise of objectives, or the number of copies, is broken.'),
  objective_at_risk: mapping({
    ...common,
    percent: percent('So much of what is promised is used up.').default(80),
  })
    .describe('A promise will be broken if nothing changes.')
    .prefault({}),
  missed_schedule: mapping({
    ...common,
    after: duration('So long after it was due, a run has not begun.').default('15m'),
  })
    .describe('Something due did not run.')
    .prefault({}),
  worker_lost: mapping({
    ...common,
    after: duration('A worker was not heard of for so long.').default('2m'),
  })
    .describe('A worker went away without saying so.')
    .prefault({}),
  clock_skew: mapping({
    ...common,
    after: duration('Clocks differ by more than this.').default('30s'),
  })
    .describe('The clocks of machines disagree.')
    .prefault({}),
  storage_unreachable: plain('A storage cannot be used.'),
  storage_behind: plain('A storage lacks points that it should hold, or holds damaged ones.'),
  retention_frozen: mapping({
    ...common,
    after: duration('Retention has stood still for so long.').default('24h'),
  })
    .describe('Nothing is removed until a person answers an alert, and nobody did.')
    .prefault({}),
  entropy_jump: mapping({
    ...common,
    points: percent('So many percentage points more of what is new do not compress than is usual.').default(25),
    least: count('Smaller amounts of new data are not judged, MiB.', 1, 1_000_000).default(16),
  })
    .describe('What is new suddenly looks encrypted. Freezes retention.')
    .prefault({}),
  mass_change: mapping({
    ...common,
    percent: percent('So many of all files were deleted or changed at once.').default(40),
    least: count('Fewer files are not judged.', 1, 1_000_000_000).default(100),
  })
    .describe('Suddenly many files are gone or changed. Freezes retention.')
    .prefault({}),
  scheduler_stalled: mapping({
    ...common,
    after: duration('Schedules were not looked at for so long.').default('5m'),
  })
    .describe('The service itself stands still.')
    .prefault({}),
  audit_broken: plain('The audit log is not the one that the storages know: somebody may have forged it.'),
  channel_failing: plain('A channel does not take messages.'),
})
  .describe('What is looked for.')
  .prefault({});
