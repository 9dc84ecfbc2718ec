/** The set-up: is it safe, is it healthy, what is configured. */
import * as z from 'zod';
import { endpoint } from './endpoint.ts';
import { anApp, app, givenTime, labels, object, text, time } from './shapes.ts';

const tag = 'System';
const get = { tag, method: 'GET' } as const;

export const Status = z
  .looseObject({
    app,
    time,
    outcome: z.enum(['safe', 'attention', 'broken']),
    objectives: z.array(object),
    points: z.int(),
    newest: object.nullable(),
    storages: z.array(object),
    last_proof: object.nullable(),
    problems: z.array(z.object({ about: z.string(), what: z.string(), mend: z.string() })),
  })
  .meta({ id: 'Status' });

export const getStatus = endpoint({
  ...get,
  ...{ path: '/api/v1/status', id: 'getStatus', access: 'viewer', app: 'query' },
  summary: 'Is an app safe: objectives, exposure, storages, last proof, problems',
  query: { app: anApp },
  answer: { status: 200, description: 'What `holdfast status --json` prints.', body: Status },
});

export const Diagnosis = z
  .object({
    problems: z.int(),
    findings: z.array(
      z.object({
        severity: z.enum(['problem', 'remark', 'good']),
        ...{ about: z.string(), what: z.string(), mend: z.string() },
      }),
    ),
  })
  .meta({ id: 'Diagnosis' });

export const runDoctor = endpoint({
  ...{ method: 'POST', path: '/api/v1/doctor', id: 'runDoctor', tag, access: 'operator', app: 'query' },
  summary: 'What is wrong with this set-up and how to mend it, looked at from the server',
  description: 'Writes and removes a few small objects in every storage.',
  query: { app: anApp },
  answer: { status: 200, description: 'What `holdfast doctor --json` prints.', body: Diagnosis },
});

export const listApps = endpoint({
  ...get,
  ...{ path: '/api/v1/apps', id: 'listApps', access: 'viewer', app: 'resource' },
  summary: 'The apps that you may see, with their sources',
  answer: {
    status: 200,
    description: 'In the order of the configuration.',
    body: z.object({
      items: z.array(z.object({ app, sources: z.array(z.object({ name: z.string(), type: z.string() })) })),
    }),
  },
});

export const listStorages = endpoint({
  ...get,
  ...{ path: '/api/v1/storages', id: 'listStorages', access: 'viewer' },
  summary: 'The storages, and how they were seen last',
  answer: {
    status: 200,
    description: 'In the order of the configuration, which is that of nearness.',
    body: z.object({
      items: z.array(
        z.object({
          name: z.string(),
          type: z.enum(['local', 's3']),
          state: z.enum(['good', 'behind', 'damaged', 'unreachable', 'unknown']).describe('As it was seen last.'),
          message: z.string().nullable(),
          since: time.nullable().describe('In this state since then.'),
          seen_at: time.nullable(),
        }),
      ),
    }),
  },
});

export const listHealth = endpoint({
  ...get,
  ...{ path: '/api/v1/health', id: 'listHealth', access: 'viewer', app: 'resource' },
  summary: 'How well your apps are protected, from 0 to 100, with the reasons that cost points',
  answer: {
    status: 200,
    description: 'Judged by the age of the evidence, in the order of the configuration.',
    body: z.object({
      items: z.array(
        z.object({
          app,
          score: z.int().min(0).max(100),
          reasons: z.array(z.object({ reason: z.string(), points: z.int(), what: z.string() })),
        }),
      ),
    }),
  },
});

export const listGrowth = endpoint({
  ...get,
  ...{ path: '/api/v1/storages/growth', id: 'listGrowth', access: 'viewer' },
  summary: 'How full the storages are, how fast they fill, and when they will be full',
  answer: {
    status: 200,
    description: 'Storages that were measured, by name. Foretold from the median of the last ninety days.',
    body: z.object({
      items: z.array(
        z.object({
          storage: z.string(),
          used_bytes: z.number(),
          capacity_bytes: z.number().nullable(),
          used_percent: z.number().nullable(),
          bytes_per_day: z.number().nullable(),
          full_on: time.nullable(),
          days: z.int().describe('That the forecast rests on.'),
          measured_at: time,
        }),
      ),
    }),
  },
});

export const listMeasurements = endpoint({
  ...get,
  ...{ path: '/api/v1/measurements', id: 'listMeasurements', access: 'viewer', app: 'query' },
  summary: 'One series of sizes, durations or use over time, oldest first',
  query: {
    name: text('Which measurement.', 100).min(1),
    app: anApp,
    storage: text('Only of this storage.', 100).optional(),
    since: givenTime.optional(),
    until: givenTime.optional(),
    limit: z.int().min(1).max(10_000).default(1_000).describe('The newest so many.'),
  },
  answer: {
    status: 200,
    description: '`app` and `storage` are empty where the series belongs to none.',
    body: z.object({
      items: z.array(z.object({ name: z.string(), app: z.string(), storage: z.string(), at: time, value: z.number() })),
    }),
  },
});

export const listWorkers = endpoint({
  ...get,
  ...{ path: '/api/v1/workers', id: 'listWorkers', access: 'viewer' },
  summary: 'Who executes runs',
  answer: {
    status: 200,
    description: 'By name.',
    body: z.object({
      items: z.array(
        z.object({
          ...{ id: z.string(), name: z.string(), role: z.string(), version: z.string(), labels },
          started_at: time,
          seen_at: time,
        }),
      ),
    }),
  },
});

export const getKit = endpoint({
  ...get,
  ...{ path: '/api/v1/kit', id: 'getKit', access: 'administrator', audited: true },
  summary: 'The recovery kit, without the password',
  query: { format: z.enum(['text', 'html']).default('text') },
  answer: { status: 200, description: 'The page.', types: ['text/plain', 'text/html'] },
});

export const getConfig = endpoint({
  ...get,
  ...{ path: '/api/v1/config', id: 'getConfig', access: 'administrator', audited: true },
  summary: 'Effective values of the configuration and their origins, secrets masked',
  answer: {
    status: 200,
    description: 'What `holdfast config show --json` prints.',
    body: z.object({
      file: z.string(),
      values: z.array(z.object({ path: z.string(), value: z.unknown(), origin: z.string() })),
    }),
  },
});

export const getConfigSchema = endpoint({
  ...get,
  ...{ path: '/api/v1/config/schema', id: 'getConfigSchema', access: 'public' },
  summary: 'The JSON Schema of the configuration file',
  answer: { status: 200, description: 'The schema.', body: object },
});

export const getVersion = endpoint({
  ...get,
  ...{ path: '/api/v1/version', id: 'getVersion', access: 'viewer', app: 'resource' },
  summary: 'The version of this server',
  answer: {
    status: 200,
    description: 'What `holdfast version --json` prints.',
    body: z.object({ version: z.string(), node: z.string(), platform: z.string() }),
  },
});

export const getHealthz = endpoint({
  ...get,
  ...{ path: '/healthz', id: 'getHealthz', access: 'public' },
  summary: 'Whether this process answers',
  answer: { status: 200, description: 'It does.', body: z.object({ status: z.literal('ok') }) },
});

const Check = z.object({ name: z.string(), ok: z.boolean(), detail: z.string().nullable() });

export const getReadyz = endpoint({
  ...get,
  ...{ path: '/readyz', id: 'getReadyz', access: 'public' },
  summary: 'Whether this process can do its work: its catalog answers and has the right form',
  description: 'Answers 503 with the same document when it cannot. Storages are told, and do not make it unready.',
  answer: { status: 200, description: 'It can.', body: z.object({ ready: z.boolean(), checks: z.array(Check) }) },
});
