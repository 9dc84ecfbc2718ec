/** The reports of proofs. */
import * as z from 'zod';
import { endpoint } from './endpoint.ts';
import { anApp, app, text, time } from './shapes.ts';

const Proof = z
  .looseObject({
    format: z.literal(1),
    id: z.string().describe('16 hexadecimal digits.'),
    app,
    point: z.string().nullable(),
    time,
    finished: time,
    storage: z.string().nullable(),
    rto_seconds: z.number().nullable().describe('Until everything was back.'),
    outcome: z.enum(['passed', 'failed', 'incomplete', 'error']),
    level: z.enum(['restored', 'accepted']).nullable(),
  })
  .meta({ id: 'Proof' });

const ofApp = { tag: 'Proofs', access: 'viewer', app: 'query', method: 'GET' } as const;
const proof = text('First digits of the report or of its point, or "latest".', 64).regex(/^(latest|[0-9a-f]{1,64})$/);

export const listProofs = endpoint({
  ...ofApp,
  ...{ path: '/api/v1/proofs', id: 'listProofs' },
  summary: 'The reports of earlier proofs, oldest first; failed ones too',
  description: 'The newest hundred of each app are kept, so this is no list of pages.',
  query: { app: anApp, of: proof.optional() },
  answer: { status: 200, description: 'What `holdfast proofs --json` prints.', body: z.array(Proof) },
});

export const getProof = endpoint({
  ...ofApp,
  ...{ path: '/api/v1/proofs/{proof}', id: 'getProof' },
  summary: 'One report, the newest that fits',
  params: { proof },
  query: { app: anApp },
  answer: { status: 200, description: 'The report.', body: Proof },
});

export const getProofPage = endpoint({
  ...ofApp,
  ...{ path: '/api/v1/proofs/{proof}/page', id: 'getProofPage', audited: true },
  summary: 'The same as a page to print',
  params: { proof },
  query: { app: anApp },
  answer: { status: 200, description: 'The page.', types: ['text/html'] },
});
