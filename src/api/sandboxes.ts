/** Sandboxes: throw-away databases as they were, kept by a worker until their time is over or somebody ends them. */
import * as z from 'zod';
import { endpoint } from './endpoint.ts';
import { anApp, app, recordId, sourceName, storageName, text, time } from './shapes.ts';

const Sandbox = z
  .object({
    id: recordId.describe('Also the id of the run that keeps it.'),
    app,
    state: z.enum(['waiting', 'starting', 'ready', 'ending', 'ended', 'failed']),
    at: z.string().describe('The time or point that was asked for.'),
    url: z
      .string()
      .nullable()
      .describe('On a socket of the machine whose worker keeps it, for the account that runs it.'),
    directory: z.string().nullable(),
    worker: z.string().nullable(),
    major: z.int().nullable(),
    point: z.string().nullable(),
    reached_lsn: z.string().nullable(),
    reached_time: time.nullable(),
    until: time.nullable(),
    created_at: time,
    requested_by: z.string().nullable(),
    error: z.object({ code: z.string(), message: z.string(), hint: z.string().nullable() }).nullable(),
  })
  .meta({ id: 'Sandbox' });
export type Sandbox = z.output<typeof Sandbox>;

const tag = 'Sandboxes';
const one = { tag, app: 'resource', params: { sandbox: recordId } } as const;

export const listSandboxes = endpoint({
  ...{ method: 'GET', path: '/api/v1/sandboxes', id: 'listSandboxes', tag, access: 'viewer', app: 'query' },
  summary: 'Sandboxes that wait, start or are there',
  query: { app: anApp },
  answer: { status: 200, description: 'The newest first.', body: z.object({ items: z.array(Sandbox) }) },
});

export const createSandbox = endpoint({
  ...{ method: 'POST', path: '/api/v1/sandboxes', id: 'createSandbox', tag, access: 'operator', app: 'body' },
  summary: 'Ask for one',
  description: 'An app has one at a time; the next waits. It takes no place among the runs of its worker.',
  body: z.strictObject({
    app: anApp,
    at: text('A time, "latest" for the newest archived commit, or a point.', 200).min(1),
    for: text('How long it lives, at most 7d.', 20).default('1h'),
    with_files: z.boolean().default(false).describe('The other sources of the point beside it.'),
    source: sourceName.optional(),
    storage: storageName.optional(),
    reason: text('Why.').optional(),
  }),
  answer: {
    status: 202,
    description: 'It will be made.',
    body: Sandbox,
    headers: { Location: 'Path of it.' },
  },
});

export const getSandbox = endpoint({
  ...one,
  ...{ method: 'GET', path: '/api/v1/sandboxes/{sandbox}', id: 'getSandbox', access: 'viewer' },
  summary: 'One of them',
  answer: { status: 200, description: 'The sandbox.', body: Sandbox },
});

export const endSandbox = endpoint({
  ...one,
  ...{ method: 'DELETE', path: '/api/v1/sandboxes/{sandbox}', id: 'endSandbox', access: 'operator' },
  summary: 'End it: nothing of it is left',
  answer: { status: 202, description: 'Asked to end.', body: Sandbox },
});
