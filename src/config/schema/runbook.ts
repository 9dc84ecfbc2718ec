/** The runbook of an app: the steps of a disaster recovery, in order. */
import * as z from 'zod';
import { duration, mapping, text } from './scalars.ts';

const words = (description: string) =>
  z
    .array(text('A word.'), { error: 'must be a list: the program or command, then each argument' })
    .min(1, 'must name a program or command')
    .describe(description);

const step = mapping({
  title: text('What is done, in a few words.'),
  run: words(
    'A Holdfast command and its arguments. {target}, {where}, {app} and {directory} stand for what the run is about.',
  ).optional(),
  hook: words('A program and its arguments, run once, without a shell.').optional(),
  check: words('A program that ends with 0 when all is well; tried again until its time is over.').optional(),
  confirm: text('A question that a person answers.').optional(),
  budget: duration('How long it may take before somebody is told.').default('5m'),
  drill: z
    .union([words('What is done instead in a drill.'), z.literal('same'), z.literal('skip')], {
      error: 'must be same, skip, or a list of words',
    })
    .describe(
      'In a drill: the same, nothing, or these words instead. Absent: questions are asked, the rest is skipped.',
    )
    .optional(),
}).refine(
  (given) => [given.run, given.hook, given.check, given.confirm].filter((kind) => kind !== undefined).length === 1,
  {
    error: 'must say one of run, hook, check and confirm',
    abort: true,
  },
);

export const runbook = mapping({
  steps: z.array(step, { error: 'must be a list of steps' }).min(1, 'names no step').describe('In order.'),
  escalate: words(
    'Run when a step or the whole takes longer than it may; HOLDFAST_STEP says which, HOLDFAST_BUDGET_SECONDS how long it may.',
  ).optional(),
}).describe('The steps of a disaster recovery. Absent: validate, confirm, restore, verify, switch over, back up.');
