/** Runs: everything that takes long or changes a storage. */
import * as z from 'zod';
import { endpoint } from './endpoint.ts';
import { anApp, app, cursor, givenTime, labels, limit, object, page, recordId, text, time } from './shapes.ts';

export const RUN_STATES = [
  'waiting',
  'queued',
  'running',
  'succeeded',
  'partial',
  'failed',
  'cancelled',
  'skipped',
] as const;

export const Run = z
  .object({
    id: recordId,
    app,
    kind: z.string().describe('What is executed: backup, prove, check, …'),
    params: object.describe('Parameters of the kind.'),
    state: z.enum(RUN_STATES),
    priority: z.int().describe('Higher first.'),
    trigger: z.string().describe('Who or what asked: schedule, catch-up, dependency, api, cli, healing.'),
    reason: z.string().nullable().describe('Why it was asked for; of a skipped run, why it did not happen.'),
    requested_by: z.string().nullable(),
    schedule: recordId.nullable(),
    scheduled_for: time.nullable(),
    after_run: recordId.nullable().describe('The run that must succeed first.'),
    labels,
    attempt: z.int(),
    max_attempts: z.int(),
    time_limit_s: z.number().nullable(),
    not_before: time,
    created_at: time,
    started_at: time.nullable().describe('Of this attempt.'),
    finished_at: time.nullable(),
    worker: z.string().nullable(),
    cancel_requested: z.boolean(),
    cancelled_by: z.string().nullable(),
    progress: object.nullable().describe('The newest progress of its step, as `--json` prints it.'),
    outcome: object.nullable().describe('The summary that the command prints with `--json`.'),
    error: z.object({ code: z.string(), message: z.string(), hint: z.string().nullable() }).nullable(),
  })
  .meta({ id: 'Run' });
export type Run = z.output<typeof Run>;

const NewRun = z
  .strictObject({
    kind: z.string().min(1).max(50).describe('What is executed; `GET /api/v1/run-kinds` lists what there is.'),
    app: anApp,
    params: object.default({}).describe('Parameters of the kind.'),
    reason: text('Why; kept in the record.').optional(),
    priority: z.int().min(-100).max(100).optional().describe('Higher first; default 0.'),
  })
  .meta({ id: 'NewRun' });

/** What asking for a run answers. */
export const AcceptedRun = z
  .object({ run: Run.nullable(), approval: recordId.nullable().describe('What waits for a second person.') })
  .meta({ id: 'AcceptedRun' });
export type AcceptedRun = z.output<typeof AcceptedRun>;

/** The answer of whatever asks for a run. */
export const ACCEPTED = {
  status: 202,
  description: 'Queued, or waiting for a second person.',
  body: AcceptedRun,
  headers: { Location: 'Path of the run, or of the approval.' },
} as const;

const RunStep = z
  .object({
    attempt: z.int(),
    seq: z.int(),
    step: z.string(),
    title: z.string(),
    state: z.enum(['running', 'done', 'failed', 'skipped']),
    started_at: time,
    finished_at: time.nullable(),
    bytes: z.number().nullable(),
    items: z.number().nullable(),
    total_bytes: z.number().nullable(),
    total_items: z.number().nullable(),
    message: z.string().nullable(),
  })
  .meta({ id: 'RunStep' });

export type RunStep = z.output<typeof RunStep>;

const RunLogLine = z
  .object({
    seq: z.int(),
    attempt: z.int(),
    at: time,
    level: z.enum(['debug', 'info', 'warning', 'error']),
    message: z.string(),
    data: object.nullable(),
  })
  .meta({ id: 'RunLogLine' });
export type RunLogLine = z.output<typeof RunLogLine>;

const RunInput = z
  .object({
    seq: z.int(),
    at: time,
    by: z.string(),
    kind: z.enum(['confirm', 'refuse', 'pause', 'resume', 'note']),
    step: z.string().nullable(),
    text: z.string().nullable(),
  })
  .meta({ id: 'RunInput' });
export type RunInput = z.output<typeof RunInput>;

const tag = 'Runs';
const run = { run: recordId };
const ofResource = { tag, app: 'resource', params: run } as const;
const LOCATION = { Location: 'Path of the run.' };

export const listRuns = endpoint({
  ...{ method: 'GET', path: '/api/v1/runs', id: 'listRuns', tag, access: 'viewer', app: 'query' },
  summary: 'Runs, the newest first',
  query: {
    app: anApp,
    kind: text('Only runs of this kind.', 50).optional(),
    state: z.array(z.enum(RUN_STATES)).optional().describe('Only runs in these states; may be given several times.'),
    schedule: recordId.optional().describe('Only runs of this schedule.'),
    since: givenTime.optional().describe('Made at or after this time.'),
    until: givenTime.optional().describe('Made before this time.'),
    cursor,
    limit,
  },
  answer: { status: 200, description: 'A page of runs.', body: page(Run) },
});

export const createRun = endpoint({
  ...{ method: 'POST', path: '/api/v1/runs', id: 'createRun', tag, access: 'operator', app: 'body' },
  summary: 'Ask for a run',
  description:
    'The run is queued; a worker executes it. Follow it by `GET /api/v1/runs/{run}` or by the events of the run. Where a second person is ' +
    'asked for, the answer names the approval that waits instead of a run.',
  body: NewRun,
  answer: {
    status: 202,
    description: 'Queued. `Location` is the run, or the approval it waits for.',
    body: AcceptedRun,
    headers: LOCATION,
  },
});

export const getRun = endpoint({
  ...ofResource,
  ...{ method: 'GET', path: '/api/v1/runs/{run}', id: 'getRun', access: 'viewer' },
  summary: 'One run',
  answer: { status: 200, description: 'The run.', body: Run },
});

export const cancelRun = endpoint({
  ...ofResource,
  ...{ method: 'POST', path: '/api/v1/runs/{run}/cancel', id: 'cancelRun', access: 'operator' },
  summary: 'Stop a run, or see that it does not begin',
  answer: { status: 202, description: 'Asked to stop; it ends by itself.', body: Run },
});

export const listRunSteps = endpoint({
  ...ofResource,
  ...{ method: 'GET', path: '/api/v1/runs/{run}/steps', id: 'listRunSteps', access: 'viewer' },
  summary: 'The steps of a run, of all its attempts',
  answer: { status: 200, description: 'In order.', body: z.object({ items: z.array(RunStep) }) },
});

export const listRunLog = endpoint({
  ...ofResource,
  ...{ method: 'GET', path: '/api/v1/runs/{run}/log', id: 'listRunLog', access: 'viewer' },
  summary: 'The log of a run',
  query: { after: z.int().min(0).default(0).describe('Only lines after this number.'), limit },
  answer: {
    status: 200,
    description: 'In order.',
    body: z.object({ items: z.array(RunLogLine), next: z.int().nullable() }),
  },
});

export const listRunInputs = endpoint({
  ...ofResource,
  ...{ method: 'GET', path: '/api/v1/runs/{run}/inputs', id: 'listRunInputs', access: 'viewer' },
  summary: 'What people said to a run',
  answer: { status: 200, description: 'In order.', body: z.object({ items: z.array(RunInput) }) },
});

export const addRunInput = endpoint({
  ...ofResource,
  ...{ method: 'POST', path: '/api/v1/runs/{run}/inputs', id: 'addRunInput', access: 'operator' },
  summary: 'Say something to a run: confirm a step of a runbook, pause it, leave a note',
  body: z.strictObject({
    kind: z.enum(['confirm', 'refuse', 'pause', 'resume', 'note']),
    step: text('The step it is about.', 200).optional(),
    text: text('What the person says.', 4_000).optional(),
  }),
  answer: { status: 201, description: 'Noted.', body: RunInput },
});

export const listRunKinds = endpoint({
  ...{ method: 'GET', path: '/api/v1/run-kinds', id: 'listRunKinds', tag, access: 'public' },
  summary: 'The kinds of runs there are, with the JSON Schema of their parameters',
  answer: {
    status: 200,
    description: 'By name.',
    body: z.object({ items: z.array(z.object({ kind: z.string(), params: object })) }),
  },
});
