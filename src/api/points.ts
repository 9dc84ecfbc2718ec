/** Restore points and what is in them. */
import * as z from 'zod';
import { endpoint } from './endpoint.ts';
import { ACCEPTED } from './runs.ts';
import {
  anApp,
  app,
  contentPath,
  contentPathBytes,
  cursor,
  givenTime,
  limit,
  object,
  page,
  point,
  storageName,
  text,
  time,
} from './shapes.ts';

const Point = z
  .object({
    id: z.string().describe('64 hexadecimal digits.'),
    short_id: z.string(),
    app,
    time,
    label: z.string().nullable(),
    sources: z.array(z.string()),
    bytes: z.number().describe('Of all files in it.'),
    proof: z.enum(['stored', 'checked', 'read', 'restored', 'accepted']),
    pinned: z.boolean(),
    storages: z.array(z.string()).describe('Those that hold it.'),
  })
  .meta({ id: 'Point' });

const Entry = z
  .object({
    path: z.string().describe('From the name of the source on.'),
    path_base64: z.string().optional().describe('Its bytes, where they are no UTF-8.'),
    type: z.enum(['file', 'dir', 'symlink', 'dev', 'chardev', 'fifo', 'socket']),
    mode: z.string().describe('Octal.'),
    uid: z.int(),
    gid: z.int(),
    user: z.string().nullable(),
    group: z.string().nullable(),
    size: z.number(),
    mtime: time,
    link_target: z.string().optional(),
  })
  .meta({ id: 'Entry' });

const FoundPath = z
  .object({
    path: z.string(),
    versions: z.array(
      z.object({
        ...{ point: z.string(), short_id: z.string(), time, type: Entry.shape.type, size: z.number(), mtime: time },
        content: z.int().describe('Equal numbers, equal bytes; 1 is the oldest.'),
      }),
    ),
  })
  .meta({ id: 'FoundPath' });

const tag = 'Points';
const ofApp = { tag, access: 'viewer', app: 'query' } as const;
const place = { path: contentPath.default(''), path_base64: contentPathBytes };

export const listPoints = endpoint({
  ...ofApp,
  ...{ method: 'GET', path: '/api/v1/points', id: 'listPoints' },
  summary: 'Restore points, the newest first',
  description: 'From the catalog, which is brought up to date after each run and from the storages.',
  query: {
    app: anApp,
    pinned: z.boolean().optional(),
    proof: Point.shape.proof.optional().describe('Only points of this level.'),
    since: givenTime.optional(),
    until: givenTime.optional(),
    cursor,
    limit,
  },
  answer: { status: 200, description: 'A page of points.', body: page(Point) },
});

export const getPoint = endpoint({
  ...ofApp,
  ...{ method: 'GET', path: '/api/v1/points/{point}', id: 'getPoint' },
  summary: 'One point with its manifest and its last proof, from the repository',
  params: { point },
  query: { app: anApp },
  answer: {
    status: 200,
    description: 'What `holdfast show --json` prints.',
    body: Point.extend({ last_proof: object.nullable(), manifest: object }),
  },
});

export const getManifest = endpoint({
  ...ofApp,
  ...{ method: 'GET', path: '/api/v1/points/{point}/manifest', id: 'getManifest', audited: true },
  summary: 'The manifest of a point',
  params: { point },
  query: { app: anApp },
  answer: { status: 200, description: 'The manifest.', body: object },
});

export const listEntries = endpoint({
  ...ofApp,
  ...{ method: 'GET', path: '/api/v1/points/{point}/entries', id: 'listEntries', unhurried: true, audited: true },
  summary: 'What is in a point at a path',
  description: 'Streamed: one JSON array, however long. An answer that ends early was cut off by a failure.',
  params: { point },
  query: { app: anApp, ...place, recursive: z.boolean().default(false).describe('Everything below too.') },
  answer: { status: 200, description: 'What `holdfast ls --json` prints.', body: z.array(Entry) },
});

export const readFile = endpoint({
  ...ofApp,
  ...{
    method: 'GET',
    path: '/api/v1/points/{point}/file',
    id: 'readFile',
    unhurried: true,
    access: 'operator',
    audited: true,
  },
  summary: 'The bytes of one file, each part verified before it is sent',
  params: { point },
  query: { app: anApp, ...place },
  answer: { status: 200, description: 'The bytes.', types: ['application/octet-stream'] },
});

export const readArchive = endpoint({
  ...ofApp,
  ...{
    method: 'GET',
    path: '/api/v1/points/{point}/archive',
    id: 'readArchive',
    unhurried: true,
    access: 'operator',
    audited: true,
  },
  summary: 'A directory, or all of the point, as one archive',
  description:
    'tar keeps owners, modes, links and names of any bytes. zip is for desktops: files, directories and links; names that are no UTF-8 ' +
    'get replacement characters. An archive that ends early, without its end mark, was cut off by a failure.',
  params: { point },
  query: { app: anApp, ...place, format: z.enum(['tar', 'zip']).default('tar') },
  answer: { status: 200, description: 'The archive.', types: ['application/x-tar', 'application/zip'] },
});

export const findFiles = endpoint({
  ...ofApp,
  ...{ method: 'GET', path: '/api/v1/find', id: 'findFiles', unhurried: true, audited: true },
  summary: 'Every version of a file across points',
  query: { app: anApp, pattern: text('A name such as "*.pdf", or a path with wildcards.', 1_000).min(1) },
  answer: { status: 200, description: 'What `holdfast find --json` prints.', body: z.array(FoundPath) },
});

export const diffPoints = endpoint({
  ...ofApp,
  ...{ method: 'GET', path: '/api/v1/diff', id: 'diffPoints', unhurried: true, audited: true },
  summary: 'What changed between two points',
  description: 'Streamed: one JSON document, however long.',
  query: { app: anApp, from: point, to: point },
  answer: {
    status: 200,
    description: 'What `holdfast diff --json` prints.',
    body: z.object({
      changes: z.array(
        z.object({
          kind: z.enum(['added', 'removed', 'content', 'metadata', 'type']),
          ...{ path: z.string(), type: Entry.shape.type, size_before: z.number(), size_after: z.number() },
        }),
      ),
      summary: object,
    }),
  },
});

const change = { tag, access: 'operator', app: 'query', method: 'POST', params: { point } } as const;
export const pinPoint = endpoint({
  ...change,
  ...{ path: '/api/v1/points/{point}/pin', id: 'pinPoint' },
  summary: 'Keep a point whatever retention says',
  query: { app: anApp },
  answer: ACCEPTED,
});

export const unpinPoint = endpoint({
  ...change,
  ...{ path: '/api/v1/points/{point}/unpin', id: 'unpinPoint' },
  summary: 'Leave a point to retention again',
  query: { app: anApp },
  answer: ACCEPTED,
});

export const forgetPoint = endpoint({
  ...change,
  ...{ path: '/api/v1/points/{point}/forget', id: 'forgetPoint', access: 'administrator' },
  summary: 'Remove one point',
  query: { app: anApp },
  body: z.strictObject({ storage: storageName.optional().describe('From this storage only.') }),
  answer: ACCEPTED,
});
