import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeClock, expectations } from './clock.ts';
import type { RunbookReport } from './report.ts';
import type { PlannedStep } from './steps.ts';

const MINUTE = 60_000;

test('a step is likely to take as long as when it last went well, else as long as it may', () => {
  const step = (number: number, title: string, skipped?: string): PlannedStep => ({
    ...{ number, title, budgetMs: 10 * MINUTE, action: { do: 'check', words: ['true'] } },
    ...(skipped === undefined ? {} : { skipped }),
  });
  const report = (title: string, outcome: string, seconds: number) =>
    ({ steps: [{ title, outcome, duration_s: seconds }] }) as unknown as RunbookReport;
  const earlier = [
    report('Restore', 'done', 60),
    report('Restore', 'done', 240),
    report('Restore', 'failed', 1),
    report('Switch over', 'failed', 1),
  ];
  const steps = [step(1, 'Say hello', 'no part of a drill'), step(2, 'Restore'), step(3, 'Switch over')];
  assert.deepEqual([...expectations(steps, earlier).values()], [0, 4 * MINUTE, 10 * MINUTE]);
});

test('the clock tells what is used of the objective, what is left to do, and when that is too much', () => {
  assert.equal(describeClock(7 * MINUTE, 25 * MINUTE, 60 * MINUTE), '7 min of 1 h used; about 25 min more to do.');
  assert.match(describeClock(50 * MINUTE, 25 * MINUTE, 60 * MINUTE), / That is 15 min more than promised\.$/);
});
