/** The shell around every command: how it starts, reads its line, reports, and ends. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/base/clock.ts';
import type { SinkStream } from '../../src/cli/output/sink.ts';
import { registry } from '../../src/cli/registry.ts';
import { runCommandLine } from '../../src/cli/run.ts';
import { jsonLines } from '../support/holdfast.ts';
import { run } from '../support/run.ts';
import { registrations } from './fixtures/commands.ts';

const SHELL = fileURLToPath(new URL('fixtures/shell.ts', import.meta.url));
const BUILD = { program: 'holdfast', version: '1.2.3', node: process.versions.node, platform: 'test' };

/** What a stream was given. */
class Collected implements SinkStream {
  text = '';
  write(chunk: string | Uint8Array, done: () => void): boolean {
    this.text += chunk.toString();
    done();
    return true;
  }
  on(): void {}
}

/** Runs a command line in this process, with the commands of the tests. */
async function shell(...argv: string[]) {
  const [stdout, stderr, signal] = [new Collected(), new Collected(), new AbortController().signal];
  const world = { argv, env: {}, cwd: '/', clock: systemClock, signal, stdout, stderr, build: BUILD };
  const code = await runCommandLine(world, registrations);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** Runs a command line in a process of its own. */
const shellProcess = (...args: string[]) => run(process.execPath, [SHELL, ...args], { env: { NO_COLOR: '1' } });

async function started(...args: string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [SHELL, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  await once(child.stdout, 'data');
  return child;
}

async function ending(child: ChildProcess): Promise<{ code: number | null; stderr: string }> {
  const chunks: Buffer[] = [];
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr: Buffer.concat(chunks).toString() };
}

test('options become values, wherever they stand among the words', async () => {
  const done = await shell(
    ...['--json', 'say', '--app', 'shop', 'echo', 'x', '--many', 'a', 'y', '--many=b', '--share', '--dry-run', '-v'],
    ...['--size', '2MiB', '--for', '1h', '--keep', '3', '--kind', 'two', '--at', '2025-03-01T00:00:00Z', '--', '--z'],
  );
  const { arguments: args, options, flags } = JSON.parse(done.stdout);
  assert.deepEqual(args, { first: 'x', rest: ['y', '--z'] });
  const expected = {
    at: 1740787200000,
    many: ['a', 'b'],
    share: true,
    dryRun: true,
    size: 2097152,
    for: 3600000,
    keep: 3,
  };
  assert.deepEqual(options, { ...expected, kind: 'two' });
  assert.partialDeepStrictEqual(flags, { app: 'shop', json: true, verbose: true, quiet: false });
});

test('an optional value is taken with and without an equals sign, and options left out have no value', async () => {
  const { options } = JSON.parse((await shell('say', 'echo', 'x', '--share=5%')).stdout);
  assert.deepEqual(options, { many: [], share: '5%', dryRun: false });
});

test('wrong usage exits 2 and says what was meant', async () => {
  const cases: [string[], RegExp][] = [
    [['say', 'ehco', 'x'], /no command "say ehco".*\n.*Did you mean "holdfast say echo"/],
    [['wrok'], /Did you mean "holdfast work"/],
    [['say', 'echo', 'x', '--dryrun'], /Unknown option '--dryrun'.*\n.*Did you mean --dry-run/],
    [['say', 'echo'], /Missing required argument 'FIRST'/],
    [['work', 'x'], /Too many arguments/],
    [['say', 'echo', 'x', '--at', '13am'], /--at: "13am" is not a time/],
    [['say', 'echo', 'x', '--size', '2MB'], /--size: .*does not fit/],
    [['say', 'echo', 'x', '--keep', '0'], /--keep: .*\n.*at least 1/],
    [['say', 'echo', 'x', '--kind', 'three'], /--kind: .*\n.*one of one, two/],
    [['say', 'echo', 'x', '--many'], /Option '--many' argument missing/],
  ];
  for (const [args, complaint] of cases) {
    const done = await shell(...args);
    assert.equal(done.code, 2, args.join(' '));
    assert.match(done.stderr, complaint, args.join(' '));
    assert.equal(done.stdout, '');
  }
});

test('help is a result when asked for, and an error when it stands in for a command', async () => {
  for (const args of [['--help'], ['help'], ['-h']]) {
    const done = await shell(...args);
    assert.equal(done.code, 0);
    assert.match(done.stdout, /say echo\s+say echo for the test/);
    assert.match(done.stdout, /130 {2}interrupted/);
  }
  const bare = await shell();
  assert.equal(bare.code, 2);
  assert.equal(bare.stdout, '');
  const family = await shell('say');
  assert.equal(family.code, 2);
  assert.match(family.stderr, /holdfast say echo/);
  for (const args of [
    ['say', 'echo', '--help'],
    ['help', 'say', 'echo'],
  ]) {
    assert.match((await shell(...args)).stdout, /FIRST \[REST\]\.\.\..*--dry-run {2}/s);
  }
});

test('where output is no terminal, steps are told in plain lines, warnings on standard error, names made harmless', async () => {
  const done = await shell('work');
  assert.equal(done.code, 3);
  assert.match(done.stdout, /^Files: done, 2\.00 KiB, 2 items, \S+ s, 1 new\nAll done\.\n$/);
  assert.equal(done.stderr, 'Warning: media: a\\x1b[2J: is locked\n  Close it.\n');
  const quiet = await shell('work', '--quiet');
  assert.equal(quiet.stdout, 'All done.\n');
  assert.match(quiet.stderr, /is locked/);
});

test('with --json every line is JSON with its kind, the summary last', async () => {
  const done = await shell('work', '--json');
  const lines = jsonLines(done.stdout);
  assert.equal(lines.length, done.stdout.trimEnd().split('\n').length);
  assert.deepEqual(
    lines.map((line) => line.message_type),
    ['status', 'error', 'status', 'summary'],
  );
  assert.partialDeepStrictEqual(lines[1], {
    severity: 'warning',
    source: 'media',
    item: 'a\u001b[2J',
    message: 'is locked',
  });
  assert.partialDeepStrictEqual(lines[2], {
    step: 'files',
    state: 'done',
    percent_done: 100,
    bytes_done: 2048,
    items_done: 2,
  });
  assert.deepEqual(lines[3], { message_type: 'summary', bytes: 2048 });
});

test('a failure is one clear line with its hint and exit status; with --json one exit_error line on standard error', async () => {
  const done = await shell('fail', 'known');
  assert.equal(done.code, 11);
  assert.equal(done.stderr, 'Error: The repository is locked.\n  Hint: Wait.\n');
  const json = await shell('fail', 'known', '--json');
  assert.equal(json.stdout, '');
  assert.deepEqual(JSON.parse(json.stderr), {
    ...{ message_type: 'exit_error', code: 11, error: 'locked', message: 'The repository is locked.', hint: 'Wait.' },
    details: { pid: 7 },
  });
});

test('a mistake of ours is one line; -v shows where', async () => {
  const done = await shell('fail', 'mistake');
  assert.equal(done.code, 1);
  assert.match(done.stderr, /^Error: undefined is not a function .*\n$/);
  assert.equal(JSON.parse((await shell('fail', 'mistake', '--json')).stderr).error, 'internal');
  assert.match((await shell('fail', 'mistake', '-v')).stderr, /at .*commands\.ts/);
});

test('a mistake that surfaces where nobody waits ends the process with one line', async () => {
  const done = await shellProcess('fail', 'late');
  assert.equal(done.code, 1);
  assert.match(done.stderr, /^Error: nobody catches me .*\n$/);
});

test('every command explains itself', async () => {
  for (const { name, summary, load } of registry) {
    const registration = { name, summary, load, group: 'Look' } as const;
    const stdout = new Collected();
    const signal = new AbortController().signal;
    const world = { env: {}, cwd: '/', clock: systemClock, signal, stdout, stderr: new Collected(), build: BUILD };
    assert.equal(await runCommandLine({ ...world, argv: [...name.split(' '), '--help'] }, [registration]), 0);
    assert.ok(stdout.text.startsWith(`holdfast ${name}: ${summary}.\n\nUsage\n  holdfast ${name}`), stdout.text);
  }
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} stops the work, exits 130, and says what state is left`, async () => {
    const child = await started('wait');
    const end = ending(child);
    child.kill(signal);
    const stderr = 'Interrupted: Stopped as asked.\n  Hint: What was done stays done.\n';
    assert.deepEqual(await end, { code: 130, stderr });
  });
}

test('a second SIGINT ends at once what does not stop', async () => {
  const child = await started('wait', '--stubborn');
  const end = ending(child);
  const again = setInterval(() => child.kill('SIGINT'), 50);
  assert.equal((await end).code, 130);
  clearInterval(again);
});

test('SIGHUP is survived: it is how others probe the owner of a lock', async () => {
  const child = await started('wait');
  const end = ending(child);
  child.kill('SIGHUP');
  setTimeout(() => child.kill('SIGINT'), 200);
  assert.equal((await end).code, 130);
});

test('a reader that goes away is no error', async () => {
  const done = await run('/bin/sh', [
    '-c',
    `"$0" "$1" --help | true; "$0" "$1" work 2>&1 | head -c 1 >/dev/null`,
    process.execPath,
    SHELL,
  ]);
  assert.equal(done.stderr, '');
});

test('a full disk behind standard output is a failure with a name', async () => {
  const done = await run('/bin/sh', ['-c', '"$0" "$1" work --json > /dev/full', process.execPath, SHELL]);
  assert.equal(done.code, 1);
  assert.equal(JSON.parse(done.stderr.trim()).error, 'output_failed');
});
