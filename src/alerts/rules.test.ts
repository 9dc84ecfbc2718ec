/** Each rule: what makes it fire, what does not, what says that it is over. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { policyOf } from '../../test/support/alerts.ts';
import type { Run } from '../catalog/runs.ts';
import type { Schedule } from '../catalog/schedules.ts';
import type { AlertRules } from '../config/alert-settings.ts';
import { type AppFacts, judgeApp, judgeService, type ServiceFacts } from './judge.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MIB = 1024 ** 2;

let rules: AlertRules;
before(async () => {
  ({ rules } = await policyOf());
});

let number = 0;
function run(more: Partial<Run> = {}): Run {
  number += 1;
  return {
    ...{ id: `run${number}`, fence: 1, app: 'clinic', kind: 'backup', params: {}, state: 'succeeded', priority: 0 },
    ...{ trigger: 'schedule', labels: {}, notBefore: NOW, attempt: 1, maxAttempts: 3, createdAt: NOW },
    ...{ startedAt: NOW - 10 * MINUTE, finishedAt: NOW, cancelRequested: false },
    ...more,
  } as Run;
}

const NOTHING: AppFacts = {
  ...{ now: NOW, app: 'clinic', objectives: {}, ended: {}, open: [], schedules: [], lastOf: new Map(), sizes: [] },
  ...{ status: undefined, freezing: undefined },
};

/** `rule severity` of what fires, and the causes of what is fine. */
function judged(facts: Partial<AppFacts>, by: AlertRules = rules) {
  const { findings, fine } = judgeApp({ ...NOTHING, ...facts }, by);
  return {
    fires: findings.map(({ rule, severity }) => `${rule} ${severity}`),
    fine: fine.map(({ cause }) => cause.split(':')[0]),
    findings,
  };
}

const fires = (facts: Partial<AppFacts>, by?: AlertRules) => judged(facts, by).fires;
const backups = (...runs: Run[]): Partial<AppFacts> => ({ ended: { backup: runs } });
const status = (report: object, at = NOW): Partial<AppFacts> => ({ status: { at, report: { ...report } } });

test('of what is not known nothing is said', () => {
  assert.deepEqual(judged({}), { fires: [], fine: ['retention_frozen'], findings: [] });
});

test('backup failure: failed, in part, good again', () => {
  const failed = run({ state: 'failed', error: { code: 'storage_full', message: 'Full.', hint: 'Free some.' } });
  const { findings } = judged(backups(failed, run({ state: 'failed' }), run()));
  assert.equal(findings[0]?.message, 'Full.\nBy now 2 in a row did.\nFree some.');
  assert.deepEqual([findings[0]?.severity, findings[0]?.evidence], ['ERROR', failed.id]);
  assert.deepEqual(fires(backups(run({ state: 'partial', outcome: { copies: 1, copies_required: 2 } }))), [
    'backup_failure WARNING',
  ]);
  assert.ok(judged(backups(run(), failed)).fine.includes('backup_failure'));
});

test('duration: more than twice the usual, also while it still runs; not where little is known or it is short', () => {
  const took = (minutes: number) => run({ outcome: { duration_s: minutes * 60 } });
  assert.deepEqual(fires(backups(took(21), took(10), took(10), took(10))), ['duration WARNING']);
  assert.deepEqual(fires(backups(took(20), took(10), took(10), took(10))), []);
  assert.deepEqual(fires(backups(took(21), took(10), took(10))), []);
  assert.deepEqual(fires(backups(took(0.9), took(0.1), took(0.1), took(0.1))), []);
  const running = run({ state: 'running', startedAt: NOW - 30 * MINUTE });
  assert.deepEqual(fires({ ...backups(took(10), took(10), took(10)), open: [running] }), ['duration WARNING']);
});

test('size: beyond 20 %, collapsed, exploded; points of other sources are not compared', () => {
  const sizes = (...bytes: number[]) => ({
    sizes: bytes.map((each, at) => ({ point: `p${at}`, time: NOW - at * DAY, bytes: each, sources: 'a' })),
  });
  assert.deepEqual(fires(sizes(121, 100, 100, 100)), ['size_deviation WARNING']);
  assert.deepEqual(fires(sizes(79, 100, 100, 100)), ['size_deviation WARNING']);
  assert.deepEqual(fires(sizes(29, 100, 100, 100)), ['size_deviation ERROR']);
  assert.deepEqual(fires(sizes(401, 100, 100, 100)), ['size_deviation ERROR']);
  assert.ok(judged(sizes(120, 100, 100, 100)).fine.includes('size_deviation'));
  const [newest, ...others] = sizes(10, 100, 100, 100).sizes;
  assert.deepEqual(fires({ sizes: [{ ...newest!, sources: 'b' }, ...others] }), []);
});

test('entropy: new data that suddenly does not compress freezes retention; photographs, small amounts and little history do not', () => {
  const made = (share: number, mib = 100) =>
    run({
      outcome: { bytes_added: mib * MIB, bytes_stored: share * mib * MIB, sources: { media: { files_unmodified: 5 } } },
    });
  const usual = [made(0.4), made(0.5), made(0.4)];
  const { findings } = judged(backups(made(0.99), ...usual));
  assert.deepEqual(
    findings.map(({ rule, severity, freezesRetention }) => [rule, severity, freezesRetention]),
    [['entropy_jump', 'CRITICAL', true]],
  );
  assert.deepEqual(fires(backups(made(0.6), ...usual)), []);
  assert.deepEqual(fires(backups(made(1), made(0.98), made(0.97), made(0.99))), []);
  assert.deepEqual(fires(backups(made(0.99, 1), ...usual)), []);
  assert.deepEqual(fires(backups(made(0.99), made(0.4), made(0.4))), []);
});

test('mass change: many files gone or changed at once freeze retention; where most change daily, or few are there, nothing', () => {
  const made = (files_new: number, files_changed: number, files_unmodified: number) =>
    run({ outcome: { sources: { media: { files_new, files_changed, files_unmodified } } } });
  const quiet = [made(1, 5, 995), made(1, 5, 995), made(1, 5, 995)];
  const { findings } = judged(backups(made(0, 0, 500), ...quiet));
  assert.deepEqual([findings[0]?.title, findings[0]?.freezesRetention], ['Many files are gone', true]);
  assert.equal(judged(backups(made(0, 600, 400), ...quiet)).findings[0]?.title, 'Many files changed at once');
  // renamed by what encrypts them: gone under their names, new under others
  assert.deepEqual(fires(backups(made(1000, 0, 0), ...quiet)), ['mass_change CRITICAL']);
  assert.deepEqual(fires(backups(made(500, 5, 990), ...quiet)), []);
  assert.deepEqual(fires(backups(made(0, 900, 100), made(0, 900, 100), made(0, 900, 100), made(0, 900, 100))), []);
  assert.deepEqual(fires(backups(made(0, 0, 10), made(0, 0, 90))), []);
});

test('integrity: findings of a check; a clean check or sync says that it is over, a good sample does not', () => {
  const found = run({ kind: 'check', state: 'failed', outcome: { findings: [{}, {}] }, finishedAt: NOW - HOUR });
  assert.deepEqual(fires({ app: '*', ended: { check: [found] } }), ['integrity_failure ERROR']);
  const coded = run({ kind: 'verify', state: 'failed', error: { code: 'data_damaged', message: 'Bad.' } });
  assert.deepEqual(fires({ app: '*', ended: { verify: [coded] } }), ['integrity_failure ERROR']);
  assert.deepEqual(fires({ app: '*', ended: { check: [found], verify: [run({ kind: 'verify' })] } }), [
    'integrity_failure ERROR',
  ]);
  const healed = run({ kind: 'sync', outcome: { remaining: [] } });
  assert.ok(judged({ app: '*', ended: { check: [found], sync: [healed] } }).fine.includes('integrity_failure'));
});

test('restores and proofs: failed, and good again', () => {
  const ended = (kind: string, more: Partial<Run>) => ({ ended: { [kind]: [run({ kind, ...more })] } });
  assert.deepEqual(fires(ended('restore', { state: 'failed' })), ['restore_failure ERROR']);
  assert.ok(judged(ended('restore', {})).fine.includes('restore_failure'));
  const checks = [{ check: 'row counts', outcome: 'failed' }];
  const failed = judged(ended('prove', { state: 'failed', outcome: { outcome: 'failed', checks } })).findings[0];
  assert.deepEqual([failed?.rule, failed?.message], ['proof_failed', 'Not right: row counts.']);
  assert.deepEqual(fires(ended('prove', { state: 'partial', outcome: { outcome: 'incomplete' } })), [
    'proof_failed WARNING',
  ]);
  assert.ok(judged(ended('prove', { outcome: { outcome: 'passed' } })).fine.includes('proof_failed'));
});

test('a proof is too old after 40 days, and so is a point when there never was one', () => {
  const proven = (age: number) => ({
    ended: { prove: [run({ kind: 'prove', finishedAt: NOW - age, outcome: { outcome: 'passed' } })] },
  });
  assert.deepEqual(fires(proven(41 * DAY)), ['proof_too_old WARNING']);
  assert.ok(judged(proven(39 * DAY)).fine.includes('proof_too_old'));
  const point = (age: number) => ({ sizes: [{ point: 'p', time: NOW - age, bytes: 1, sources: 'a' }] });
  assert.deepEqual(fires(point(41 * DAY)), ['proof_too_old WARNING']);
  assert.deepEqual(fires(point(39 * DAY)), []);
  const told = { last_proof: { outcome: 'passed', time: new Date(NOW - DAY).toISOString() } };
  assert.deepEqual(fires({ ...point(41 * DAY), ...status(told) }), []);
});

test('WAL: behind by more than is promised, stopped, with a gap; an old status says nothing', () => {
  const wal = (seconds: number | null, more: object = {}) =>
    status({ wal: [{ source: 'db', mode: 'stream', loss: { seconds, because: 'told' }, gaps: [], ...more }] });
  assert.deepEqual(fires(wal(301)), ['wal_lag ERROR']);
  assert.deepEqual(fires(wal(null)), ['wal_lag ERROR']);
  assert.deepEqual(fires({ ...wal(301), objectives: { rpo: HOUR } }), []);
  assert.deepEqual(fires(wal(0, { stream: { alive: false } })), ['wal_lag WARNING']);
  assert.deepEqual(judged(wal(1)).fine, ['wal_lag', 'wal_gap', 'retention_frozen']);
  const gap = judged(wal(1, { gaps: [{ from_lsn: '0/1', reason: null, detail: 'slot lost' }] })).findings[0];
  assert.deepEqual([gap?.rule, gap?.severity, gap?.evidence], ['wal_gap', 'ERROR', '0/1']);
  const past = (age: number) => {
    const times = { from: null, to: new Date(NOW - age).toISOString() };
    return wal(1, { gaps: [{ from_lsn: '0/1', reason: null, detail: 'slot lost', next_point: 'p', ...times }] });
  };
  assert.deepEqual(fires(past(HOUR)), ['wal_gap WARNING'], 'a point follows: it is told for a day');
  assert.deepEqual(judged(past(25 * HOUR)).fine, ['wal_lag', 'wal_gap', 'retention_frozen']);
  const { status: known } = wal(301);
  assert.deepEqual(fires({ status: { ...known!, at: NOW - DAY } }), []);
});

test('objectives: broken, kept, and about to be broken by the clock or by a trend', () => {
  const rpo = (actual: number, state = 'kept') => ({ objective: 'rpo', promised: 3600, actual, state, because: 'b' });
  assert.deepEqual(fires(status({ objectives: [rpo(4000, 'broken')] })), ['objective_broken ERROR']);
  assert.deepEqual(judged(status({ objectives: [rpo(60)] })).fine.slice(0, 2), [
    'objective_broken',
    'objective_at_risk',
  ]);
  const late = status({ objectives: [rpo(3000)] });
  assert.deepEqual(fires(late), ['objective_at_risk WARNING']);
  const next = (nextAt: number) => ({ ...schedule(), kind: 'backup', nextAt });
  assert.deepEqual(fires({ ...late, schedules: [next(NOW + MINUTE)] }), []);
  assert.deepEqual(fires({ ...late, schedules: [next(NOW + HOUR)] }), ['objective_at_risk WARNING']);
  const rto = (actual: number) => status({ objectives: [{ objective: 'rto', promised: 3600, actual, state: 'kept' }] });
  assert.deepEqual(fires(rto(3000)), ['objective_at_risk WARNING']);
  const proofs = [30, 20, 10].map((minutes, at) =>
    run({ kind: 'prove', finishedAt: NOW - at * 10 * DAY, outcome: { outcome: 'passed', rto_seconds: minutes * 60 } }),
  );
  assert.deepEqual(fires({ ...rto(1800), ended: { prove: proofs } }), ['objective_at_risk WARNING']);
  assert.deepEqual(fires({ ...rto(1800), ended: { prove: [...proofs].fill(proofs[0]!) } }), []);
});

function schedule(more: Partial<Schedule> = {}): Schedule {
  return {
    id: 's',
    name: 'nightly',
    kind: 'check',
    enabled: true,
    jitterMs: 0,
    nextAt: NOW + HOUR,
    ...more,
  } as Schedule;
}

test('schedules: due and not started, queued without a worker, skipped; and running again', () => {
  assert.deepEqual(fires({ schedules: [schedule({ nextAt: NOW - 16 * MINUTE })] }), ['missed_schedule ERROR']);
  assert.deepEqual(fires({ schedules: [schedule({ nextAt: NOW - 16 * MINUTE, jitterMs: 5 * MINUTE })] }), []);
  assert.deepEqual(fires({ schedules: [schedule({ nextAt: NOW - DAY, enabled: false })] }), []);
  const waiting = run({ scheduleId: 's', state: 'queued', notBefore: NOW - HOUR, createdAt: NOW - HOUR });
  assert.deepEqual(fires({ schedules: [schedule()], open: [waiting] }), ['missed_schedule ERROR']);
  const skipped = run({ scheduleId: 's', state: 'skipped', reason: 'Blackout.' });
  const { findings } = judged({ schedules: [schedule()], lastOf: new Map([['s', skipped]]) });
  assert.equal(findings[0]?.message, 'It was skipped: Blackout.');
  assert.ok(judged({ schedules: [schedule()] }).fine.includes('missed_schedule'));
});

test('rules can be switched off, and say how urgent they are', async () => {
  const { rules: own } = await policyOf(`
  rules: { backup_failure: { severity: CRITICAL }, missed_schedule: { enabled: false } }`);
  const facts = { ...backups(run({ state: 'failed' })), schedules: [schedule({ nextAt: NOW - DAY })] };
  assert.deepEqual(fires(facts, own), ['backup_failure CRITICAL']);
});

const SERVICE: ServiceFacts = {
  now: NOW,
  storages: [],
  capacity: [],
  workers: [],
  clocks: [],
  scheduler: undefined,
  audit: undefined,
};

function service(facts: Partial<ServiceFacts>) {
  const { findings, fine } = judgeService({ ...SERVICE, ...facts }, rules);
  return [...findings.map(({ rule, severity }) => `${rule} ${severity}`), ...fine.map(({ cause }) => `fine ${cause}`)];
}

test('storages: running full, unreachable, all of them, behind, damaged, good', () => {
  const full = (used: number, at = NOW) => service({ capacity: [{ storage: 'r2', used, total: 100, at }] });
  assert.deepEqual(
    [full(81), full(96), full(80), full(99, NOW - 3 * DAY)],
    [['storage_capacity WARNING'], ['storage_capacity CRITICAL'], ['fine storage_capacity:r2'], []],
  );
  const at = { at: NOW, since: NOW };
  const [lost, good] = [
    { storage: 'r2', state: 'unreachable', ...at } as const,
    { storage: 'b2', state: 'good', ...at } as const,
  ];
  assert.deepEqual(service({ storages: [lost] }), ['storage_unreachable CRITICAL']);
  assert.deepEqual(service({ storages: [lost, good] }), [
    ...['storage_unreachable ERROR', 'fine storage_unreachable:b2', 'fine storage_behind:b2'],
  ]);
  assert.ok(service({ storages: [{ ...good, state: 'behind' }] }).includes('storage_behind WARNING'));
  assert.ok(service({ storages: [{ ...good, state: 'damaged' }] }).includes('storage_behind ERROR'));
});

test('workers that are silent, clocks that disagree, schedules that nobody looks at; and right again', () => {
  const worker = (silent: number) => service({ workers: [{ name: 'n', role: 'worker', seenAt: NOW - silent }] });
  assert.deepEqual([worker(3 * MINUTE), worker(MINUTE)], [['worker_lost ERROR'], ['fine worker_lost:n']]);
  const ahead = (ms: number) => service({ clocks: [{ whose: 'n', ahead: ms }] });
  assert.deepEqual(
    [ahead(31_000), ahead(-31_000), ahead(1_000)],
    [['clock_skew WARNING'], ['clock_skew WARNING'], ['fine clock_skew:n']],
  );
  const seen = (age: number) => service({ scheduler: NOW - age });
  assert.deepEqual([seen(6 * MINUTE), seen(1000)], [['scheduler_stalled CRITICAL'], ['fine scheduler_stalled']]);
});

test('an audit log that is not the one the storages know; and one that is', () => {
  const times = { at: NOW, since: NOW };
  assert.deepEqual(service({ audit: { ...times, problem: 'It differs.' } }), ['audit_broken CRITICAL']);
  assert.deepEqual(service({ audit: times }), ['fine audit_broken']);
});

test('retention that stands still for a day is told', () => {
  const freezing = (age: number) => ({ freezing: { id: 'a', title: 't', firstAt: NOW - age } as AppFacts['freezing'] });
  assert.deepEqual(fires(freezing(25 * HOUR)), ['retention_frozen WARNING']);
  assert.deepEqual(fires(freezing(HOUR)), []);
});
