import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../../recovery/prove.ts';
import { type Circumstances, isEnvironmentOnly, judge, notShown } from './verdict.ts';

function finding(more: Partial<Finding> = {}): Finding {
  return {
    ...{ check: 'tables', source: 'database', outcome: 'passed', counted: 1, unit: 'tables', details: [], problems: 0 },
    ...{ notes: [], unfinished: 0, environment: false, duration_s: 0 },
    ...more,
  };
}

const PLAIN: Circumstances = {
  hasDatabase: true,
  isMoment: false,
  sample: null,
  storages: { a: 'read' },
  ownChecks: 0,
};
const SAMPLE = { files: 100, out_of: 5000 };
const OWN = finding({ check: 'assertions' });

function levelOf(findings: readonly Finding[], more: Partial<Circumstances> = {}): string | null {
  return judge(findings, { ...PLAIN, ...more }).level;
}

test('a whole restore gives restored; with the checks of the app accepted', () => {
  assert.equal(levelOf([finding()]), 'restored');
  assert.equal(levelOf([finding(), OWN]), 'accepted');
  assert.equal(levelOf([finding(), OWN, finding({ check: 'assertions', outcome: 'skipped' })]), 'restored');
  assert.equal(levelOf([finding({ check: 'files' })], { hasDatabase: false }), 'restored');
});

test('a sample gives restored at most, and nothing without a database', () => {
  assert.equal(levelOf([finding(), OWN], { sample: SAMPLE }), 'restored');
  assert.equal(levelOf([finding()], { sample: SAMPLE, hasDatabase: false }), null);
});

test('a moment leaves the level of its base alone', () => {
  assert.deepEqual(judge([finding(), OWN], { ...PLAIN, isMoment: true }), { outcome: 'passed', level: null });
});

test('one failure, or one thing not finished, and there is no level', () => {
  assert.deepEqual(judge([finding(), finding({ outcome: 'failed' }), OWN], PLAIN), { outcome: 'failed', level: null });
  const late = finding({ outcome: 'skipped', unfinished: 1 });
  assert.deepEqual(judge([late], PLAIN), { outcome: 'incomplete', level: null });
  assert.equal(
    levelOf([finding({ outcome: 'skipped' })]),
    'restored',
    'what is not there to be checked holds nothing up',
  );
});

test('a machine that lacks a library is told from damage', () => {
  const machine = finding({ outcome: 'failed', environment: true });
  assert.equal(isEnvironmentOnly([machine, finding()]), true);
  assert.equal(isEnvironmentOnly([machine, finding({ outcome: 'failed' })]), false);
  assert.equal(isEnvironmentOnly([finding()]), false);
});

test('what a proof does not show is said', () => {
  const storages = { a: 'read', b: 'not read', c: 'lacks the point', d: 'no route to host' };
  const says = notShown({ ...PLAIN, storages, sample: SAMPLE, ownChecks: 2 }, [finding({ unfinished: 1 })]).join('\n');
  for (const words of [
    /b was not read/,
    /c does not hold/,
    /d could not be read: no route/,
    /Of 5000 files 100/,
    /commands were not run/,
    /Not finished in time: tables/,
  ])
    assert.match(says, words);
  assert.match(notShown(PLAIN, []).join(), /names no checks of its own/);
  assert.match(notShown({ ...PLAIN, isMoment: true }, []).join(), /level stays as it was/);
});
