/** The WAL archive: which moments can be restored, and what happened. */
import * as z from 'zod';
import { endpoint } from './endpoint.ts';
import { anApp, app, givenTime, object, sourceName, time } from './shapes.ts';

const ofApp = { tag: 'WAL archive', access: 'viewer', app: 'query', method: 'GET' } as const;

export const getWalStatus = endpoint({
  ...ofApp,
  ...{ path: '/api/v1/wal/status', id: 'getWalStatus' },
  summary: 'Windows, gaps, lag, and what would be lost',
  query: { app: anApp, source: sourceName.optional().describe('Only this database.') },
  answer: {
    status: 200,
    description: 'What `holdfast wal status --json` prints.',
    body: z.object({ app, sources: z.array(z.looseObject({ source: z.string(), mode: z.string(), loss: object })) }),
  },
});

export const listWalEvents = endpoint({
  ...ofApp,
  ...{ path: '/api/v1/wal/events', id: 'listWalEvents', unhurried: true, audited: true },
  summary: 'Deletions, drops and other large changes, and the moment before each',
  query: {
    app: anApp,
    since: givenTime.optional(),
    until: givenTime.optional(),
    min_rows: z.int().min(1).optional().describe('Rows from which on a DELETE or UPDATE is told.'),
  },
  answer: {
    status: 200,
    description: 'What `holdfast wal events --json` prints.',
    body: z.object({
      app,
      events: z.array(z.looseObject({ kind: z.string(), time, before_lsn: z.string() })),
      truncated: z.boolean().describe('There are more: the oldest were left out.'),
    }),
  },
});
