import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRun } from './enqueue.ts';
import { followUps } from './follow-ups.ts';
import { checkedParams, commandLine, isResident, kindSchemas } from './kinds.ts';
import { slicesDue } from './verification.ts';

test('params become the options of the command, and none of them can pass for an option of its own', () => {
  const params = { source: ['media', '--config=/etc/x'], label: '--json', full: true };
  assert.deepEqual(commandLine('backup', 'clinic', params), [
    ...['backup', '--source=media', '--source=--config=/etc/x', '--label=--json', '--full', '--app=clinic'],
  ]);
  assert.deepEqual(commandLine('restore', 'clinic', { point: 'latest', inPlace: true, confirm: 'clinic' }), [
    ...['restore', '--in-place', '--confirm=clinic', '--app=clinic', 'latest'],
  ]);
  assert.deepEqual(commandLine('verify', '*', { storage: 'r2', slice: [1, 2], of: 720 }), [
    ...['verify', '--storage=r2', '--slice=1', '--slice=2', '--of=720'],
  ]);
});

test('a file stands without a name, absolute; a sandbox lives beside the work, for a while', () => {
  assert.deepEqual(commandLine('export', 'clinic', { file: '/x/p.tar', point: 'latest' }), [
    ...['export', '--point=latest', '--app=clinic', '/x/p.tar'],
  ]);
  assert.throws(() => checkedParams('import', { file: '--owner=x', target: '/y' }), { code: 'usage' });
  assert.throws(() => checkedParams('sandbox', { at: 'latest', for: '30d' }), { code: 'usage' });
  assert.deepEqual(['sandbox', 'backup', 'of a later version'].map(isResident), [true, false, false]);
});

test('what a kind does not take is refused by name; so are points that are none and databases that are no source of the app', () => {
  assert.throws(() => checkedParams('backup', { ful: true }), { code: 'usage', message: /has nothing called ful/ });
  assert.throws(() => checkedParams('steal', {}), { code: 'usage' });
  assert.throws(() => checkedParams('forget', { point: '--all' }), { code: 'usage', message: /point must be a point/ });
  for (const mergeInto of ['postgres://u:p@h/d', 'postgres://10.0.0.1/d', 'env:DATABASE_URL', 'host=10.0.0.1'])
    assert.throws(() => checkedParams('rows', { at: 'latest', mergeInto }), { code: 'usage', message: /a source/ });
  assert.throws(() => newRun({ app: '*', kind: 'backup', trigger: 'api' }), { code: 'usage', message: /name it/ });
  for (const [kind, schema] of kindSchemas()) assert.equal(schema.type, 'object', kind);
});

test('an app has one writer; what replaces data is never repeated by itself', () => {
  const backup = newRun({ app: 'clinic', kind: 'backup', trigger: 'api', retries: 2 });
  const restore = newRun({ app: 'clinic', kind: 'restore', trigger: 'api', params: { inPlace: true } });
  assert.equal(backup.exclusive, restore.exclusive);
  assert.deepEqual([backup.maxAttempts, restore.maxAttempts], [3, 1]);
});

test('a backup is looked at afterwards; damage asks for one sync a day, all of it read when a sample found it', () => {
  const policy = { afterBackup: true, heal: true };
  const run = (kind: string, params = {}) =>
    ({ id: 'r', kind, app: 'clinic', params, labels: {}, priority: 1 }) as Parameters<typeof followUps>[0];
  const made = followUps(run('backup'), { state: 'succeeded', outcome: { point: 'p' } }, policy, 0);
  assert.partialDeepStrictEqual(made, [{ kind: 'verify', params: { point: 'p' }, app: 'clinic' }]);
  const error = { code: 'data_damaged', message: 'm' };
  const found = followUps(run('verify', { storage: 'r2', of: 9 }), { state: 'failed', error }, policy, 0);
  assert.partialDeepStrictEqual(found, [
    { kind: 'sync', params: { storage: 'r2', readData: true }, trigger: 'healing' },
  ]);
  const later = followUps(run('verify', { storage: 'r2', of: 9 }), { state: 'failed', error }, policy, 3_600_000);
  assert.equal(later[0]?.dedupe, found[0]?.dedupe);
  assert.deepEqual(followUps(run('sync'), { state: 'failed', error }, policy, 0), []);
  assert.deepEqual(followUps(run('check'), { state: 'failed', error }, { afterBackup: true, heal: false }, 0), []);
});

test('slices come round in turn; those missed while nothing ran are made up for', () => {
  const hour = 3_600_000;
  const turns = Array.from({ length: 10 }, (_, slice) => ({ slice, readAt: 0 }));
  const order: number[] = [];
  for (let now = hour; order.length < 12; now += hour) {
    const [slice, ...more] = slicesDue(turns, now, hour);
    assert.deepEqual(more, []);
    turns[slice!] = { slice: slice!, readAt: now };
    order.push(slice!);
  }
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
  assert.deepEqual(slicesDue(turns, 16 * hour, hour), [2, 3, 4, 5]);
});
