/** Schedules: when work starts by itself; and how what is stored is read again and again. */
import * as z from 'zod';
import { cronProblem, isTimeZone } from '../cron.ts';
import { SCHEDULED_KINDS, SCHEDULED_PARAMS } from '../run-params.ts';
import { checkedText, choice, count, duration, mapping, name, toggle } from './scalars.ts';

const DAY = '(sun|mon|tue|wed|thu|fri|sat)';
const DAYS = new RegExp(`^${DAY}(-${DAY})?$`);
const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;

const MAX_RETRIES = 20;
const MAX_PRIORITY = 100;

const blackout = mapping({
  from: checkedText('The time of day it begins, such as 08:00.', (written) =>
    TIME.test(written) ? undefined : 'must be a time of day such as 08:00',
  ),
  to: checkedText('The time of day it ends; not later than from means the next day.', (written) =>
    TIME.test(written) || written === '24:00' ? undefined : 'must be a time of day such as 18:00, at most 24:00',
  ),
  days: z
    .array(z.string().regex(DAYS, 'must be a day such as mon, or days such as mon-fri'), {
      error: 'must be a list of days, such as [mon-fri]',
    })
    .describe('The days on which it begins; all when left out.')
    .optional(),
}).refine(({ from, to }) => from !== to, {
  error: 'begins when it ends; from 00:00 to 24:00 is a whole day',
  path: ['to'],
});

export const schedule = mapping({
  name: name.describe('What it is called. Absent: what it runs, with a number where there are several.').optional(),
  run: z.enum(SCHEDULED_KINDS, { error: `must be one of ${SCHEDULED_KINDS.join(', ')}` }).describe('What is run.'),
  cron: checkedText(
    'When: minute, hour, day of month, month, day of week; or @hourly, @daily, @weekly, @monthly, @yearly.',
    cronProblem,
  ).optional(),
  every: choice(
    'Instead of cron: at an hour of the night that suits what is run, on Sunday, on the first of the month.',
    ['hourly', 'daily', 'weekly', 'monthly'],
  ).optional(),
  after: name
    .describe(
      'The name of another schedule of this app: start when a run of it succeeded. With cron or every: only then.',
    )
    .optional(),
  timezone: checkedText(
    'The time zone that the times are in, such as Europe/Madrid. Absent: that of the machine.',
    (written) => (isTimeZone(written) ? undefined : 'is not a time zone (write one such as Europe/Madrid or UTC)'),
  ).optional(),
  jitter: duration('Start up to this much later, each time and each schedule by an amount of its own.').default('0s'),
  catchUp: toggle('Run once after a time in which the service did not run.').default(true),
  blackout: z
    .array(blackout, { error: 'must be a list' })
    .describe('Hours in which nothing is started: what is due then starts at their end.')
    .default([]),
  retries: count('How often it is tried again after a failure that may pass.', 0, MAX_RETRIES).default(3),
  timeLimit: duration('A run that takes longer is stopped.').optional(),
  priority: count('What is more urgent has a higher number.', 0, MAX_PRIORITY).default(0),
  enabled: toggle('false: it starts nothing, until it is true again.').default(true),
  with: z
    .record(z.string(), z.unknown(), { error: 'must be a mapping' })
    .describe('Options of the command that is run, such as { full: true }.')
    .default({}),
}).superRefine(({ run, cron, every, after, with: params }, context) => {
  const complain = (message: string, path: PropertyKey[]) => context.addIssue({ code: 'custom', message, path });
  if (cron !== undefined && every !== undefined) complain('is given besides cron; one of them is meant', ['every']);
  if (cron === undefined && every === undefined && after === undefined)
    complain('is missing: when it runs (or every, or after)', ['cron']);
  for (const issue of SCHEDULED_PARAMS[run].safeParse(params).error?.issues ?? [])
    context.addIssue({ ...issue, path: ['with', ...issue.path] } as Parameters<typeof context.addIssue>[0]);
});

export const verification = mapping({
  sample: choice('How often some of what is stored is read back from each storage.', [
    'hourly',
    'daily',
    'off',
  ]).default('hourly'),
  readEvery: duration('Every object of every storage is read within this time.').default('30d'),
  afterBackup: toggle('Look after each backup whether each storage has all of the new point.').default(true),
  heal: toggle('Start a sync when damage was found.').default(true),
})
  .describe('How the service makes sure that what is stored stays readable.')
  .prefault({});
