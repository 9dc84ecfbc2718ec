/** What happens, as it happens. */
import * as z from 'zod';
import { endpoint } from './endpoint.ts';
import { app, object, recordId, text, time } from './shapes.ts';

export const Event = z
  .object({
    seq: z.int().describe('Whoever has seen n misses nothing with a number above n.'),
    at: time,
    type: z.string().describe('Such as run.finished, point.added, alert.raised.'),
    app: z.string().nullable(),
    run: recordId.nullable(),
    data: object,
  })
  .meta({ id: 'Event' });
export type Event = z.output<typeof Event>;

const filter = {
  app: app.optional().describe('Only events of this app.'),
  type: z.array(text('A type, or the first part of one: `run`.', 50)).max(30).optional().describe('Only these types.'),
  run: recordId.optional().describe('Only events of this run.'),
};

const ofApp = { tag: 'Events', access: 'viewer', method: 'GET' } as const;

export const streamEvents = endpoint({
  ...ofApp,
  ...{ path: '/api/v1/events', id: 'streamEvents', app: 'resource', unhurried: true },
  summary: 'Events as they happen (server-sent events)',
  description:
    'Each has the type of the event as `event`, its number as `id` and an Event as `data`. Begins after `Last-Event-ID`, or after `after`, or ' +
    'with what happens next; resumed so, nothing is missed and nothing comes twice. Whoever may not see all apps names one. A line without ' +
    'meaning comes every few seconds as a sign of life.',
  query: { ...filter, after: z.int().min(0).optional().describe('Only events above this number.') },
  answer: { status: 200, description: 'A stream that does not end.', types: ['text/event-stream'] },
});

export const listEvents = endpoint({
  ...ofApp,
  ...{ path: '/api/v1/events/list', id: 'listEvents', app: 'query' },
  summary: 'Events of the past, oldest first',
  query: {
    ...filter,
    after: z.int().min(0).default(0).describe('Only events above this number.'),
    limit: z.int().min(1).max(500).default(100),
  },
  answer: {
    status: 200,
    description: '`next` goes into `after`.',
    body: z.object({ items: z.array(Event), next: z.int() }),
  },
});
