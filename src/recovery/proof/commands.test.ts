import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { type CommandWorld, checkCommands, withoutSecrets } from './commands.ts';

function world(more: Partial<CommandWorld> = {}): CommandWorld {
  return {
    app: 'clinic',
    directory: '/',
    environment: { HOLDFAST_FILES: '/files' },
    inherited: { PATH: '/usr/bin:/bin', SECRET_OF_OURS: 'x' },
    limitMs: 10_000,
    clock: systemClock,
    signal: new AbortController().signal,
    ...more,
  };
}

test('commands run without a shell, in their directory, with the address of the copy', async () => {
  const finding = await checkCommands(world(), [
    ['printenv', 'HOLDFAST_FILES'],
    ['pwd'],
    ['test', '$HOME', '=', '$HOME'],
  ]);
  assert.equal(finding?.outcome, 'passed');
  assert.equal(finding.counted, 3);
  assert.match(finding.notes[0]!, /^1\. printenv ended with 0\. It said: \/files$/);
  assert.match(finding.notes[1]!, /It said: \/$/);
});

test('a command that fails, is ended, or cannot be started is a problem; its arguments are not told', async () => {
  const finding = await checkCommands(world(), [
    ['sh', '-c', 'exit 3', 'secret-argument'],
    ['sh', '-c', 'kill -TERM $$'],
    ['no-such-program'],
  ]);
  assert.equal(finding?.outcome, 'failed');
  assert.deepEqual(
    finding.details.map((line) => line.replace(/ENOENT.*/, 'ENOENT')),
    [
      '1. sh ended with 3.',
      '2. sh was ended by SIGTERM.',
      '3. no-such-program could not be started: spawn no-such-program ENOENT',
    ],
  );
});

test('a command has an end, and what it started ends with it', async () => {
  const finding = await checkCommands(world({ limitMs: 200 }), [['sh', '-c', 'sleep 60 & echo begun; wait']]);
  assert.match(finding!.details.join(), /did not end within 0\.2 s and was stopped\. It said: begun/);
});

test('only the tail of the output is kept, and nothing in it that looks like a secret', async () => {
  const long = await checkCommands(world(), [['sh', '-c', 'seq 1 100000; echo the end']]);
  const [note] = long!.notes;
  assert.ok(note!.length < 500 && note!.endsWith('the end'));
  assert.equal(
    withoutSecrets('postgres://u:hunter2@h/d password=hunter2 "token": "abc" ok'),
    'postgres://u:***@h/d password=*** "token": *** ok',
  );
});

test('no commands, no finding', async () => {
  assert.equal(await checkCommands(world(), []), undefined);
});
