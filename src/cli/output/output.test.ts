import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../base/clock.ts';
import { Output } from './output.ts';
import { createProgress } from './progress.ts';
import { Sink, type SinkStream } from './sink.ts';
import { pickStyle, plainStyle } from './style.ts';
import { displayWidth, tableLines, truncate } from './table.ts';

class Collected implements SinkStream {
  text = '';
  readonly isTTY: boolean;
  readonly columns = 40;
  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }
  write(chunk: string | Uint8Array, done: () => void): boolean {
    this.text += chunk.toString();
    done();
    return true;
  }
  on(): void {}
}

/** A clock that the test moves; whoever sleeps wakes when its time has come. */
class ManualClock implements Clock {
  #now = 0;
  #sleepers: { at: number; wake: () => void }[] = [];
  now = () => this.#now;
  monotonic = () => this.#now;
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((wake, reject) => {
      this.#sleepers.push({ at: this.#now + ms, wake });
      signal?.addEventListener('abort', () => reject(signal.reason));
    });
  }
  async advance(ms: number): Promise<void> {
    this.#now += ms;
    for (const { at, wake } of this.#sleepers) if (at <= this.#now) wake();
    await new Promise(setImmediate);
  }
}

function setup({ terminal = false, json = false, lists = false, quiet = false } = {}) {
  const out = new Collected(terminal);
  const err = new Collected(terminal);
  const clock = new ManualClock();
  const styles = { style: plainStyle, errorStyle: plainStyle };
  const output = new Output(new Sink(out), new Sink(err), { json, lists, quiet, ...styles });
  return { out, err, clock, output, progress: createProgress({ output, clock, quiet, verbose: false }) };
}

test('away from a terminal a running step is told every 10 s, with percent, bytes, rate and time left', async () => {
  const { out, clock, progress } = setup();
  progress.report({ type: 'step', step: 'a', title: 'Files', totalBytes: 100 * 1024 });
  await clock.advance(9_000);
  progress.report({ type: 'advance', step: 'a', bytes: 20 * 1024 });
  assert.equal(out.text, '');
  await clock.advance(1_000);
  assert.equal(out.text, 'Files: 20 %, 20.0 KiB of 100 KiB, 2.00 KiB/s, 40 s left\n');
  await progress.close();
});

test('on a terminal running steps keep their lines at the bottom, what is printed moves up, the end leaves no trace', async () => {
  const { out, clock, output, progress } = setup({ terminal: true });
  progress.report({ type: 'step', step: 'a', title: 'A name much longer than the terminal is wide' });
  await clock.advance(100);
  assert.equal(out.text, 'A name much longer than the terminal i…\n');
  out.text = '';
  await output.line('printed');
  assert.equal(out.text, '\u001b[1A\u001b[Jprinted\n');
  await clock.advance(100);
  out.text = '';
  await progress.close();
  assert.equal(out.text, '\u001b[1A\u001b[J');
});

test('more than was announced is part of the total; a step without an end is told when something came', async () => {
  const { out, clock, progress } = setup();
  progress.report({ type: 'step', step: 'a', title: 'Database', totalBytes: 1024 });
  progress.report({ type: 'advance', step: 'a', bytes: 2048 });
  progress.report({ type: 'step', step: 'b', title: 'Stream', endless: true });
  await clock.advance(10_000);
  assert.match(out.text, /^Database: 100 %, 2\.00 KiB of 2\.00 KiB[^\n]*\nStream: running\n$/);
  progress.report({ type: 'done', step: 'a', outcome: 'done' });
  await clock.advance(10_000);
  out.text = '';
  for (let i = 0; i < 3; i++) await clock.advance(10_000);
  assert.equal(out.text, '');
  progress.report({ type: 'advance', step: 'b', bytes: 1024 });
  await clock.advance(10_000);
  assert.match(out.text, /^Stream: 1\.00 KiB[^\n]*\n$/);
  await progress.close();
});

test('with --quiet warnings are printed, but not that something is as it was set up', async () => {
  const { out, err, progress } = setup({ quiet: true });
  progress.report({ type: 'warning', item: '.env', message: '1 place was masked', expected: true });
  progress.report({ type: 'warning', storage: 'nas', message: 'gone' });
  await progress.close();
  assert.deepEqual([out.text, err.text], ['', 'Warning: nas: gone\n']);
});

test('with --json the running steps are told every second', async () => {
  const { out, clock, progress } = setup({ json: true });
  progress.report({ type: 'step', step: 'a', title: 'Files', totalItems: 4 });
  progress.report({ type: 'advance', step: 'a', items: 1 });
  await clock.advance(1_000);
  assert.partialDeepStrictEqual(JSON.parse(out.text.trimEnd().split('\n').at(-1)!), {
    message_type: 'status',
    state: 'running',
    percent_done: 25,
    items_done: 1,
  });
  await progress.close();
});

test('what is printed comes in the order of the calls, though nobody waits', async () => {
  const { out, output, progress } = setup();
  progress.report({ type: 'step', step: 'a', title: 'A' });
  progress.report({ type: 'done', step: 'a', outcome: 'skipped', message: 'nothing to do' });
  progress.report({ type: 'note', message: 'noted' });
  await output.line('last');
  assert.equal(out.text, 'A: skipped, nothing to do\nnoted\nlast\n');
  await progress.close();
});

test('a listing as JSON is one document: warnings go to standard error, progress nowhere', async () => {
  const { out, err, output, progress } = setup({ json: true, lists: true });
  progress.report({ type: 'step', step: 'a', title: 'A' });
  progress.report({ type: 'warning', storage: 'nas', message: 'gone' });
  progress.report({ type: 'done', step: 'a', outcome: 'done' });
  await output.warn('careful');
  await output.document([1]);
  await progress.close();
  assert.deepEqual(JSON.parse(out.text), [1]);
  const lines = err.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(lines, [
    { message_type: 'error', severity: 'warning', storage: 'nas', message: 'gone' },
    { message_type: 'error', severity: 'warning', message: 'careful' },
  ]);
});

test('colours need a terminal, and NO_COLOR, TERM=dumb and --no-color turn them off', () => {
  const terminal = { isTTY: true };
  assert.notEqual(pickStyle(terminal, {}, true).red('x'), 'x');
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) assert.equal(pickStyle(terminal, env, true).red('x'), 'x');
  assert.equal(pickStyle(terminal, {}, false).red('x'), 'x');
  assert.equal(pickStyle({ isTTY: false }, {}, true).red('x'), 'x');
});

test('tables align, shrink the column that may shrink, and show no control characters', () => {
  const rows = [
    { name: 'a\u001b[31m.txt', size: '5 B' },
    { name: '写真の長い名前のファイル.jpg', size: '1.20 MiB' },
  ];
  const columns = [
    { title: 'NAME', value: (row: (typeof rows)[0]) => row.name, shrinks: true },
    { title: 'SIZE', value: (row: (typeof rows)[0]) => row.size, align: 'right' as const },
  ];
  const lines = tableLines(rows, columns, { width: 24, style: plainStyle });
  assert.deepEqual(lines, ['NAME                SIZE', 'a\\x1b[31m.txt        5 B', '写真の長い名…   1.20 MiB']);
  assert.ok(lines.every((line) => displayWidth(line) <= 24));
  assert.equal(truncate('abc', 3), 'abc');
  assert.equal(truncate('abcd', 3), 'ab…');
  assert.equal(truncate('abcd', 0), '');
});
