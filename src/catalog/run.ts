/** A run as the rest of the program sees it. */
import { given } from '../base/given.ts';
import type { RunState, RunsTable } from './schema.ts';

export type { RunState } from './schema.ts';

/** States that a run never leaves. */
export const OVER: readonly RunState[] = ['succeeded', 'partial', 'failed', 'cancelled', 'skipped'];

export type Labels = Readonly<Record<string, string>>;

export interface RunError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** What a worker holds of a run; with an older fence than the newest it may not write. */
export interface RunHold {
  readonly id: string;
  readonly fence: number;
}

/** Times are ms since the epoch. */
export interface Run extends RunHold {
  readonly app: string;
  readonly kind: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly state: RunState;
  readonly priority: number;
  readonly trigger: string;
  readonly reason?: string;
  readonly requestedBy?: string;
  readonly scheduleId?: string;
  readonly scheduledFor?: number;
  readonly afterRun?: string;
  /** What a worker must have. */
  readonly labels: Labels;
  readonly exclusive?: string;
  readonly dedupe?: string;
  readonly notBefore: number;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly timeLimitMs?: number;
  readonly createdAt: number;
  /** Of this attempt. */
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly worker?: string;
  readonly leaseUntil?: number;
  readonly cancelRequested: boolean;
  readonly cancelledBy?: string;
  readonly progress?: Readonly<Record<string, unknown>>;
  readonly outcome?: Readonly<Record<string, unknown>>;
  readonly error?: RunError;
}

export function toRun(row: RunsTable): Run {
  const run: Writable<Run> = {
    id: row.id,
    fence: row.fence,
    app: row.app,
    kind: row.kind,
    params: object(row.params),
    state: row.state,
    priority: row.priority,
    trigger: row.trigger,
    labels: object(row.labels) as Labels,
    notBefore: row.not_before,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    createdAt: row.created_at,
    cancelRequested: row.cancel_requested === 1,
  };
  // One by one, without copies of anything: a page has hundreds of these.
  if (row.reason !== null) run.reason = row.reason;
  if (row.requested_by !== null) run.requestedBy = row.requested_by;
  if (row.schedule_id !== null) run.scheduleId = row.schedule_id;
  if (row.scheduled_for !== null) run.scheduledFor = row.scheduled_for;
  if (row.after_run !== null) run.afterRun = row.after_run;
  if (row.exclusive !== null) run.exclusive = row.exclusive;
  if (row.dedupe !== null) run.dedupe = row.dedupe;
  if (row.time_limit_ms !== null) run.timeLimitMs = row.time_limit_ms;
  if (row.started_at !== null) run.startedAt = row.started_at;
  if (row.finished_at !== null) run.finishedAt = row.finished_at;
  if (row.worker !== null) run.worker = row.worker;
  if (row.lease_until !== null) run.leaseUntil = row.lease_until;
  if (row.cancelled_by !== null) run.cancelledBy = row.cancelled_by;
  if (row.progress !== null) run.progress = object(row.progress);
  if (row.outcome !== null) run.outcome = object(row.outcome);
  if (row.error_code !== null) run.error = errorOf(row, row.error_code);
  return run;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** One text for one set of labels, whatever the order they came in. */
export function labelText(labels: Labels): string {
  return JSON.stringify(Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))));
}

function errorOf(row: RunsTable, code: string): RunError {
  return { code, message: row.error_message ?? '', ...given('hint', row.error_hint ?? undefined) };
}

function object(text: string): Record<string, unknown> {
  return text === '{}' ? {} : (JSON.parse(text) as Record<string, unknown>);
}
