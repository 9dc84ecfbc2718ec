/** Files that travel: export packages out and in, rows as a file, and what runs made to be downloaded. */
import * as z from 'zod';
import { endpoint } from './endpoint.ts';
import { ACCEPTED } from './runs.ts';
import { anApp, point, recordId, sourceName, storageName, text } from './shapes.ts';

export const readPackage = endpoint({
  ...{ method: 'GET', path: '/api/v1/points/{point}/package', id: 'readPackage', tag: 'Points' },
  ...{ access: 'operator', app: 'query', unhurried: true, audited: true },
  summary: 'Everything of a point as one export package, made while it is sent',
  description:
    'What `holdfast export` writes: a tar archive with checksums of everything at its end. One that ends early was cut off by a failure; ' +
    '`holdfast import` refuses it. It is not encrypted.',
  params: { point },
  query: { app: anApp },
  answer: { status: 200, description: 'The package.', types: ['application/x-tar'] },
});

export const createExportPackage = endpoint({
  ...{ method: 'POST', path: '/api/v1/backup/system/create_export_package', id: 'createExportPackage', tag: 'Backup' },
  ...{ access: 'operator', app: 'body' },
  summary: 'Make an export package, to be downloaded as the result of the run',
  description:
    'The worker writes it into `server.exchange.directory`; `GET /api/v1/runs/{run}/result` has it for a while.',
  body: z.strictObject({ app: anApp, backup: point.default('latest'), reason: text('Why.').optional() }),
  answer: ACCEPTED,
});

export const restoreFromFile = endpoint({
  ...{ method: 'POST', path: '/api/v1/backup/restores/restore_from_file', id: 'restoreFromFile', tag: 'Backup' },
  ...{ access: 'administrator', unhurried: true },
  summary: 'Restore an export package that is sent along, into a new directory',
  description:
    'The body is the package itself, as it is. It goes to the disk as it comes, within `server.exchange.maxUpload`; the run checks every byte ' +
    'of it against its checksums while it unpacks it, and takes all of it or nothing.',
  query: {
    to: text('A new directory, absolute, on the machine whose worker restores.', 4_000).regex(
      /^\//,
      'must be an absolute path',
    ),
    owner: text('Everything belongs to this account; otherwise as recorded.', 200).optional(),
    reason: text('Why.').optional(),
  },
  upload: ['application/x-tar', 'application/octet-stream'],
  answer: ACCEPTED,
});

export const exportRows = endpoint({
  ...{ method: 'POST', path: '/api/v1/rows/export', id: 'exportRows', tag: 'Rows' },
  ...{ access: 'operator', app: 'body' },
  summary: 'A table as it was, as a file to be downloaded as the result of the run',
  body: z.strictObject({
    app: anApp,
    at: text('A time, "latest" for the newest archived commit, or a point.', 200).min(1),
    table: text('With its schema where that is not public.', 300).min(1),
    where: text('Only rows that fit: what would stand after WHERE.', 4_000).optional(),
    format: z.enum(['csv', 'json']).default('csv'),
    source: sourceName.optional(),
    database: text('Another database of the same cluster.', 100).optional(),
    storage: storageName.optional(),
    reason: text('Why.').optional(),
  }),
  answer: ACCEPTED,
});

export const getRunResult = endpoint({
  ...{ method: 'GET', path: '/api/v1/runs/{run}/result', id: 'getRunResult', tag: 'Runs' },
  ...{ access: 'operator', app: 'resource', unhurried: true, audited: true },
  summary: 'The file that a run made: an export package, or rows',
  description: 'Kept for `server.exchange.keep`. `Range` goes on where a download was interrupted.',
  params: { run: recordId },
  answer: {
    status: 200,
    description: 'The file.',
    types: ['application/x-tar', 'text/csv', 'application/json', 'application/octet-stream'],
  },
});
