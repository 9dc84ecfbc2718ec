/** Schedules of backups and runs in the words of a backup configuration and its jobs. */
import type { Configuration, Job, NewConfiguration } from '../../api/backup.ts';
import type { Run, RunRow, RunState } from '../../catalog/runs.ts';
import type { NewSchedule, Schedule } from '../../catalog/schedules.ts';
import { moment, seconds, text } from './text.ts';
import { time, timeOrNull } from './times.ts';

/** Names and types of an app's sources. */
export type Sources = readonly { readonly name: string; readonly type: string }[];

const STATUS: Readonly<Record<RunState, Job['status']>> = {
  waiting: 'PENDING',
  queued: 'PENDING',
  running: 'IN_PROGRESS',
  succeeded: 'COMPLETED',
  partial: 'PARTIAL',
  failed: 'FAILED',
  cancelled: 'CANCELLED',
  skipped: 'SKIPPED',
};

export function showJob(run: Run): Job {
  const { startedAt, finishedAt, outcome } = run;
  const both = startedAt !== undefined && finishedAt !== undefined;
  return {
    ...{ id: run.id, configuration: run.scheduleId ?? null, app: run.app, status: STATUS[run.state] },
    reason: run.reason ?? null,
    created_at: time(run.createdAt),
    started_at: timeOrNull(startedAt),
    completed_at: timeOrNull(finishedAt),
    duration_s: both ? (finishedAt - startedAt) / 1_000 : null,
    backup: typeof outcome?.point === 'string' ? outcome.point : null,
    error_message: run.error?.message ?? null,
  };
}

/** The same of a row, as JSON: for lists. */
export function jobText(row: RunRow): string {
  const { started_at: started, finished_at: finished, outcome } = row;
  const duration = started === null || finished === null ? null : finished - started;
  const point = outcome === null ? undefined : (JSON.parse(outcome) as { readonly point?: unknown }).point;
  return (
    `{"id":"${row.id}","configuration":${text(row.schedule_id)},"app":${text(row.app)},"status":"${STATUS[row.state]}",` +
    `"reason":${text(row.reason)},"created_at":${moment(row.created_at)},"started_at":${moment(started)},` +
    `"completed_at":${moment(finished)},"duration_s":${seconds(duration)},` +
    `"backup":${text(typeof point === 'string' ? point : null)},` +
    `"error_message":${row.error_code === null ? 'null' : text(row.error_message ?? '')}}`
  );
}

export function showConfiguration(schedule: Schedule, sources: Sources): Configuration {
  const when = timetable(schedule.cron);
  return {
    ...{ id: schedule.id, name: schedule.name, app: schedule.app, type: typeOf(schedule, sources), ...when },
    ...{ cron: schedule.cron, timezone: schedule.timezone, is_active: schedule.enabled },
    managed_by_file: schedule.origin === 'file',
    next_run: timeOrNull(schedule.nextAt),
    last_job: schedule.lastRun ?? null,
  };
}

export function toSchedule(app: string, asked: NewConfiguration, sources: Sources): NewSchedule {
  return {
    ...{ app, kind: 'backup', name: asked.name, params: paramsOf(asked.type, sources), cron: cronOf(asked) },
    ...{ timezone: asked.timezone, jitterMs: 0, catchUp: true, blackout: [], priority: 0, retries: 3, labels: {} },
    ...{ enabled: asked.is_active, origin: 'api' },
  };
}

function cronOf({ frequency, time: at }: NewConfiguration): string {
  const [hour, minute] = at.split(':').map(Number);
  const forms = {
    HOURLY: `${minute} * * * *`,
    DAILY: `${minute} ${hour} * * *`,
    WEEKLY: `${minute} ${hour} * * 0`,
    MONTHLY: `${minute} ${hour} 1 * *`,
    ON_DEMAND: '',
  };
  return forms[frequency];
}

function timetable(cron: string): Pick<Configuration, 'frequency' | 'time'> {
  if (cron === '') return { frequency: 'ON_DEMAND', time: null };
  const [, minute, hour, rest] = /^(\d{1,2}) (\d{1,2}|\*) (.+)$/.exec(cron) ?? [];
  const frequency = rest === undefined ? undefined : FREQUENCIES.get(`${hour === '*' ? '*' : 'H'} ${rest}`);
  if (frequency === undefined) return { frequency: 'CUSTOM', time: null };
  const two = (text: string | undefined) => (text === '*' ? '0' : (text ?? '0')).padStart(2, '0');
  return { frequency, time: `${two(hour)}:${two(minute)}` };
}

const FREQUENCIES: ReadonlyMap<string, Configuration['frequency']> = new Map([
  ['* * * *', 'HOURLY'],
  ['H * * *', 'DAILY'],
  ['H * * 0', 'WEEKLY'],
  ['H 1 * *', 'MONTHLY'],
]);

function paramsOf(type: Configuration['type'], sources: Sources): Record<string, unknown> {
  if (type === 'FULL') return { full: true };
  if (type === 'INCREMENTAL') return {};
  const wanted = sources.filter((source) => (source.type === 'postgres') === (type === 'DATABASE'));
  return { source: wanted.map(({ name }) => name) };
}

function typeOf({ params }: Schedule, sources: Sources): Configuration['type'] {
  if (!Array.isArray(params.source) || params.source.length === 0) return params.full === true ? 'FULL' : 'INCREMENTAL';
  const databases = sources.filter(({ type }) => type === 'postgres').map(({ name }) => name);
  return params.source.every((name) => databases.includes(String(name))) ? 'DATABASE' : 'FILES';
}
