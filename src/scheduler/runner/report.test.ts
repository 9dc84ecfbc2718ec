import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineSplitter } from './lines.ts';
import { Report } from './report.ts';

const line = (type: string, fields: Record<string, unknown>) => JSON.stringify({ message_type: type, ...fields });

test('the lines of a command become steps, log, progress, outcome and error', () => {
  const report = new Report();
  report.line('output', line('status', { step: 'media', title: 'Files', state: 'started', total_bytes: 10 }), 1);
  report.line(
    'output',
    line('status', { step: 'media', title: 'Files', state: 'running', bytes_done: 4, percent_done: 40 }),
    2,
  );
  report.line('output', line('error', { severity: 'warning', message: 'gone', path: 'a' }), 3);
  report.line('output', line('status', { step: 'media', title: 'Files', state: 'done', bytes_done: 10 }), 4);
  report.line('output', line('status', { step: 'index', title: 'Index', state: 'started' }), 5);
  report.line('output', line('summary', { point: 'p' }), 6);
  report.line(
    'errors',
    line('exit_error', { code: 1, error: 'storage_full', message: 'a: full', hint: 'Make room.' }),
    7,
  );
  report.line('errors', 'warning: from node', 8);
  report.end(9);
  const { steps, lines, progress } = report.take();
  assert.partialDeepStrictEqual(steps, [
    { seq: 1, step: 'media', state: 'done', startedAt: 1, finishedAt: 4, bytes: 10 },
    { seq: 2, step: 'index', state: 'failed', finishedAt: 9 },
  ]);
  assert.deepEqual(
    lines?.map(({ level, message }) => `${level} ${message}`),
    ['warning gone', 'error a: full', 'error warning: from node'],
  );
  assert.partialDeepStrictEqual(progress, { step: 'index' });
  assert.deepEqual(report.outcome, { point: 'p' });
  assert.deepEqual(report.error, { code: 'storage_full', message: 'a: full', hint: 'Make room.' });
  assert.equal(report.isDirty, false);
});

test('what could not be written is handed out again, newer steps first', () => {
  const report = new Report();
  report.line('output', line('status', { step: 'a', title: 'A', state: 'started' }), 1);
  report.log('info', 'one', 1);
  const lost = report.take();
  report.line('output', line('status', { step: 'a', title: 'A', state: 'done' }), 2);
  report.log('info', 'two', 2);
  report.giveBack(lost);
  const { steps, lines } = report.take();
  assert.partialDeepStrictEqual(steps, [{ state: 'done' }]);
  assert.deepEqual(
    lines?.map(({ message }) => message),
    ['one', 'two'],
  );
});

test('a command that floods its log or its outcome is kept within bounds, and that is told', () => {
  const report = new Report();
  for (let n = 0; n < 20_500; n++) report.line('output', `noise ${n}`, n);
  report.line('output', line('summary', { point: 'p', list: 'x'.repeat(300_000) }), 1);
  report.end(2);
  const { lines } = report.take();
  assert.equal(lines?.length, 20_001);
  assert.match(lines.at(-1)!.message, /^500 more lines/);
  assert.deepEqual(report.outcome, { point: 'p', truncated: true });
});

test('lines come whole, however they are cut; one without end is cut off', () => {
  const lines: string[] = [];
  const splitter = new LineSplitter((text) => lines.push(text));
  for (const piece of ['a', 'b\nc', '\n', 'd']) splitter.add(piece);
  splitter.end();
  assert.deepEqual(lines, ['ab', 'c', 'd']);
  for (let n = 0; n < 5; n++) splitter.add('x'.repeat(1024 * 1024));
  splitter.add('still\nnext\n');
  assert.equal(lines[3]?.length, 4 * 1024 * 1024);
  assert.deepEqual(lines.slice(4), ['next']);
});
