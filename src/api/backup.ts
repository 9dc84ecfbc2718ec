/**
 * The paths of backup software for Django applications, over the same functions: configurations are schedules of backups, jobs are their
 * runs. What such a record says of retention, storage, compression and encryption is the business of the configuration file here.
 */
import * as z from 'zod';
import { endpoint } from './endpoint.ts';
import { ACCEPTED, RUN_STATES } from './runs.ts';
import { anApp, app, cursor, limit, page, point, recordId, sourceName, text, time } from './shapes.ts';
import { Diagnosis, Status } from './system.ts';

const BASE = '/api/v1/backup';
const tag = 'Backup';

const type = z
  .enum(['FULL', 'DATABASE', 'FILES', 'INCREMENTAL'])
  .describe(
    'FULL and INCREMENTAL hold everything: one reads databases whole, the other what changed. DATABASE and FILES: only these.',
  );
const frequency = z.enum(['HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'ON_DEMAND', 'CUSTOM']);
const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as 02:00');

const Configuration = z
  .object({
    ...{ id: recordId, name: z.string(), app, type, frequency },
    time: clockTime.nullable().describe('When; null for ON_DEMAND and CUSTOM.'),
    cron: z.string(),
    timezone: z.string(),
    is_active: z.boolean(),
    managed_by_file: z.boolean(),
    next_run: time.nullable(),
    last_job: recordId.nullable(),
  })
  .meta({ id: 'BackupConfiguration' });
export type Configuration = z.output<typeof Configuration>;

const Job = z
  .object({
    ...{ id: recordId, configuration: recordId.nullable(), app },
    status: z.enum(['PENDING', 'IN_PROGRESS', 'COMPLETED', 'PARTIAL', 'FAILED', 'CANCELLED', 'SKIPPED']),
    reason: z.string().nullable(),
    created_at: time,
    started_at: time.nullable(),
    completed_at: time.nullable(),
    duration_s: z.number().nullable(),
    backup: z.string().nullable().describe('The restore point that was made.'),
    error_message: z.string().nullable(),
  })
  .meta({ id: 'BackupJob' });
export type Job = z.output<typeof Job>;

const NewConfiguration = z
  .strictObject({
    name: text('Unique within its app.', 100).min(1),
    app: anApp,
    type: type.default('FULL'),
    frequency: frequency.exclude(['CUSTOM']).default('DAILY'),
    time: clockTime.default('02:00'),
    timezone: text('Such as Europe/Madrid.', 60).default('UTC'),
    is_active: z.boolean().default(true),
  })
  .meta({ id: 'NewBackupConfiguration' });
export type NewConfiguration = z.output<typeof NewConfiguration>;

const one = { tag, app: 'resource', params: { id: recordId } } as const;
const ofApp = { tag, app: 'query' } as const;
const LOCATION = { Location: 'Path of it.' };

export const listConfigurations = endpoint({
  ...ofApp,
  ...{ method: 'GET', path: `${BASE}/configurations`, id: 'listBackupConfigurations', access: 'viewer' },
  summary: 'Named backup configurations',
  query: { app: anApp },
  answer: { status: 200, description: 'By app and name.', body: z.object({ items: z.array(Configuration) }) },
});

export const createConfiguration = endpoint({
  ...{ method: 'POST', path: `${BASE}/configurations`, id: 'createBackupConfiguration', tag },
  ...{ access: 'administrator', app: 'body' },
  summary: 'Make one',
  body: NewConfiguration,
  answer: { status: 201, description: 'Made.', body: Configuration, headers: LOCATION },
});

export const getConfiguration = endpoint({
  ...one,
  ...{ method: 'GET', path: `${BASE}/configurations/{id}`, id: 'getBackupConfiguration', access: 'viewer' },
  summary: 'One of them',
  answer: { status: 200, description: 'The configuration.', body: Configuration },
});

export const setConfigurationActive = endpoint({
  ...one,
  ...{ method: 'PATCH', path: `${BASE}/configurations/{id}`, id: 'setBackupConfigurationActive' },
  access: 'administrator',
  summary: 'Enable or disable it',
  body: z.strictObject({ is_active: z.boolean() }),
  answer: { status: 200, description: 'Changed.', body: Configuration },
});

export const executeConfiguration = endpoint({
  ...one,
  ...{ method: 'POST', path: `${BASE}/configurations/{id}/execute`, id: 'executeBackupConfiguration' },
  access: 'operator',
  summary: 'Run it now',
  answer: { status: 202, description: 'Queued.', body: Job, headers: LOCATION },
});

export const runDue = endpoint({
  ...ofApp,
  ...{ method: 'POST', path: `${BASE}/configurations/run_due`, id: 'runDueBackups', access: 'operator' },
  summary: 'Run what is due',
  query: { app: anApp },
  answer: { status: 202, description: 'The jobs.', body: z.object({ items: z.array(Job) }) },
});

export const listJobs = endpoint({
  ...ofApp,
  ...{ method: 'GET', path: `${BASE}/jobs`, id: 'listBackupJobs', access: 'viewer' },
  summary: 'Backups that ran, run or wait, the newest first',
  query: { app: anApp, configuration: recordId.optional(), state: z.enum(RUN_STATES).optional(), cursor, limit },
  answer: { status: 200, description: 'A page.', body: page(Job) },
});

export const getJob = endpoint({
  ...one,
  ...{ method: 'GET', path: `${BASE}/jobs/{id}`, id: 'getBackupJob', access: 'viewer' },
  summary: 'One of them',
  answer: { status: 200, description: 'The job.', body: Job },
});

export const downloadJob = endpoint({
  ...one,
  ...{
    method: 'GET',
    path: `${BASE}/jobs/{id}/download`,
    id: 'downloadBackupJob',
    access: 'operator',
    unhurried: true,
    audited: true,
  },
  summary: 'The restore point that it made, as one archive',
  query: { format: z.enum(['tar', 'zip']).default('tar') },
  answer: { status: 200, description: 'The archive.', types: ['application/x-tar', 'application/zip'] },
});

export const listRestores = endpoint({
  ...ofApp,
  ...{ method: 'GET', path: `${BASE}/restores`, id: 'listRestores', access: 'viewer' },
  summary: 'Restores, the newest first',
  query: { app: anApp, cursor, limit },
  answer: { status: 200, description: 'A page.', body: page(Job) },
});

export const restoreFromBackup = endpoint({
  ...{ method: 'POST', path: `${BASE}/restores/restore_from_backup`, id: 'restoreFromBackup', tag },
  ...{ access: 'operator', app: 'body' },
  summary: 'Restore a point, into a new directory or over the running application',
  body: z.strictObject({
    app: anApp,
    backup: point,
    to: text('A new directory, on the machine whose worker restores.', 4_000).optional(),
    sources: z.array(sourceName).max(100).optional(),
    in_place: z.boolean().default(false),
    confirm: text('The name of the app, or of the one source: yes, replace it.', 100).optional(),
    reason: text('Why.').optional(),
  }),
  answer: ACCEPTED,
});

export const getSystemStatus = endpoint({
  ...{ method: 'GET', path: `${BASE}/system/system_status`, id: 'getSystemStatus', tag, access: 'viewer' },
  summary: 'Are all apps safe',
  answer: {
    status: 200,
    description: 'The worst of them counts.',
    body: z.object({ outcome: Status.shape.outcome, apps: z.array(Status) }),
  },
});

export const runHealthCheck = endpoint({
  ...ofApp,
  ...{ method: 'POST', path: `${BASE}/system/run_health_check`, id: 'runHealthCheck', access: 'operator' },
  summary: 'Look at configuration, storages, repository, databases and this machine now',
  query: { app: anApp },
  answer: { status: 200, description: 'What was found.', body: Diagnosis.extend({ checked_at: time }) },
});

export const getLatestHealth = endpoint({
  ...{ method: 'GET', path: `${BASE}/health/latest_status`, id: 'getLatestHealth', tag, access: 'viewer' },
  summary: 'What the last of these looks found',
  answer: {
    status: 200,
    description: 'Null when nobody looked yet.',
    body: z.object({ latest: Diagnosis.extend({ checked_at: time }).nullable() }),
  },
});
