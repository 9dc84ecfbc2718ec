/** Schedules: when runs start by themselves. */
import * as z from 'zod';
import { endpoint } from './endpoint.ts';
import { AcceptedRun } from './runs.ts';
import { anApp, app, cursor, labels, limit, object, page, recordId, text, time } from './shapes.ts';

const Blackout = z.object({
  from: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as 08:00'),
  to: z.string().regex(/^([01]\d|2[0-4]):[0-5]\d$/, 'must be a time such as 18:00'),
  days: z.array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])).optional(),
});

export const Schedule = z
  .object({
    id: recordId,
    app,
    name: z.string(),
    kind: z.string().describe('What is run.'),
    params: object,
    cron: z.string().describe('Minute, hour, day of month, month, day of week.'),
    timezone: z.string(),
    jitter_s: z.number().describe('Up to so much later, drawn once for each due time.'),
    catch_up: z.boolean().describe('Run once when it was due while nothing was running.'),
    blackout: z.array(Blackout).describe('No runs begin then.'),
    after: z.string().nullable().describe('Starts after a run of this schedule, by name.'),
    priority: z.int(),
    retries: z.int(),
    time_limit_s: z.number().nullable(),
    labels,
    enabled: z.boolean(),
    origin: z.enum(['file', 'api']).describe('What the configuration file says cannot be changed here.'),
    version: z.int(),
    next_at: time.nullable().describe('When it is due next.'),
    last_run: recordId.nullable(),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'Schedule' });
export type Schedule = z.output<typeof Schedule>;

const settings = {
  name: text('Unique within its app.', 100).min(1),
  kind: text('What is run: backup, prove, check, …', 50).min(1),
  params: object,
  cron: text('Minute, hour, day of month, month, day of week; or @hourly, @daily, @weekly, @monthly, @yearly.', 200),
  timezone: text('Such as Europe/Madrid.', 60),
  jitter_s: z.number().min(0).max(86_400),
  catch_up: z.boolean(),
  blackout: z.array(z.strictObject(Blackout.shape)).max(20),
  priority: z.int().min(-100).max(100),
  retries: z.int().min(0).max(20),
  time_limit_s: z
    .number()
    .positive()
    .max(30 * 86_400)
    .nullable(),
  labels,
  enabled: z.boolean(),
};

export const NewSchedule = z
  .strictObject({
    app: anApp,
    name: settings.name.optional(),
    kind: settings.kind,
    cron: settings.cron,
    params: settings.params.default({}),
    timezone: settings.timezone.default('UTC'),
    jitter_s: settings.jitter_s.default(0),
    catch_up: settings.catch_up.default(true),
    blackout: settings.blackout.default([]),
    priority: settings.priority.default(0),
    retries: settings.retries.default(3),
    time_limit_s: settings.time_limit_s.default(null),
    labels: settings.labels.default({}),
    enabled: settings.enabled.default(true),
  })
  .meta({ id: 'NewSchedule' });
export type NewSchedule = z.output<typeof NewSchedule>;

export const ScheduleChange = z.strictObject(settings).partial().meta({ id: 'ScheduleChange' });
export type ScheduleChange = z.output<typeof ScheduleChange>;

const tag = 'Schedules';
const one = { tag, app: 'resource', params: { schedule: recordId } } as const;
const IF_MATCH = 'With `If-Match` it is changed only if it is still what was read.';

export const listSchedules = endpoint({
  ...{ method: 'GET', path: '/api/v1/schedules', id: 'listSchedules', tag, access: 'viewer', app: 'query' },
  summary: 'All schedules of an app, or of all',
  query: { app: anApp, kind: settings.kind.optional(), enabled: z.boolean().optional(), cursor, limit },
  answer: { status: 200, description: 'A page of schedules, by app and name.', body: page(Schedule) },
});

export const getSchedule = endpoint({
  ...one,
  ...{ method: 'GET', path: '/api/v1/schedules/{schedule}', id: 'getSchedule', access: 'viewer' },
  summary: 'One schedule',
  answer: { status: 200, description: 'The schedule; its `ETag` goes into `If-Match`.', body: Schedule },
});

export const createSchedule = endpoint({
  ...{ method: 'POST', path: '/api/v1/schedules', id: 'createSchedule', tag, access: 'administrator', app: 'body' },
  summary: 'Make a schedule',
  body: NewSchedule,
  answer: { status: 201, description: 'Made.', body: Schedule, headers: { Location: 'Path of the schedule.' } },
});

export const changeSchedule = endpoint({
  ...one,
  ...{ method: 'PATCH', path: '/api/v1/schedules/{schedule}', id: 'changeSchedule', access: 'administrator' },
  summary: 'Change a schedule',
  description: `What is left out stays. ${IF_MATCH} One that the configuration file manages is changed there.`,
  body: ScheduleChange,
  answer: { status: 200, description: 'Changed.', body: Schedule },
});

export const deleteSchedule = endpoint({
  ...one,
  ...{ method: 'DELETE', path: '/api/v1/schedules/{schedule}', id: 'deleteSchedule', access: 'administrator' },
  summary: 'Remove a schedule',
  description: `Its runs stay on record. ${IF_MATCH}`,
  answer: { status: 204, description: 'Removed.' },
});

export const runSchedule = endpoint({
  ...one,
  ...{ method: 'POST', path: '/api/v1/schedules/{schedule}/run', id: 'runSchedule', access: 'operator' },
  summary: 'Run it now',
  answer: { status: 202, description: 'Queued.', body: AcceptedRun, headers: { Location: 'Path of the run.' } },
});

export const runDueSchedules = endpoint({
  ...{
    method: 'POST',
    path: '/api/v1/schedules/run-due',
    id: 'runDueSchedules',
    tag,
    access: 'operator',
    app: 'query',
  },
  summary: 'Evaluate all schedules now and queue what is due',
  query: { app: anApp },
  answer: {
    status: 202,
    description: 'What was queued; nothing when nothing was due.',
    body: z.object({ items: z.array(z.object({ schedule: recordId, run: recordId })) }),
  },
});
