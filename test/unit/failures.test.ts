import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureLines } from '../../scripts/testing/failures.ts';

test('a good run has nothing to say again', () => {
  assert.deepEqual(failureLines([]), []);
});

test('each failure has a line of its own with what it said below', () => {
  assert.deepEqual(failureLines([{ what: 'x.test.ts › a', text: 'Error: no\n    at x.test.ts:1\n' }]), [
    '',
    'Failed (1), once more:',
    '✖ x.test.ts › a',
    '    Error: no',
    '        at x.test.ts:1',
    '',
  ]);
});

test('many failures with long texts stay short, with the beginning and the end of each', () => {
  const text = ['first', ...Array.from({ length: 5_000 }, () => 'x'.repeat(5_000)), 'last'].join('\n');
  const lines = failureLines(Array.from({ length: 500 }, (_, n) => ({ what: `test ${n}`, text })));
  assert.ok(lines.length < 1_000 && lines.join('\n').length < 300_000);
  assert.ok(lines.includes('✖ test 0') && lines.includes('    first') && lines.includes('    last'));
  assert.equal(lines.at(-2), '… and 480 more');
});
