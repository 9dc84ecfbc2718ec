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
  return {
    id: row.id,
    fence: row.fence,
    app: row.app,
    kind: row.kind,
    params: object(row.params),
    state: row.state,
    priority: row.priority,
    trigger: row.trigger,
    ...given('reason', row.reason ?? undefined),
    ...given('requestedBy', row.requested_by ?? undefined),
    ...given('scheduleId', row.schedule_id ?? undefined),
    ...given('scheduledFor', row.scheduled_for ?? undefined),
    ...given('afterRun', row.after_run ?? undefined),
    labels: JSON.parse(row.labels) as Labels,
    ...given('exclusive', row.exclusive ?? undefined),
    ...given('dedupe', row.dedupe ?? undefined),
    notBefore: row.not_before,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    ...given('timeLimitMs', row.time_limit_ms ?? undefined),
    createdAt: row.created_at,
    ...given('startedAt', row.started_at ?? undefined),
    ...given('finishedAt', row.finished_at ?? undefined),
    ...given('worker', row.worker ?? undefined),
    ...given('leaseUntil', row.lease_until ?? undefined),
    cancelRequested: row.cancel_requested === 1,
    ...given('cancelledBy', row.cancelled_by ?? undefined),
    ...given('progress', row.progress === null ? undefined : object(row.progress)),
    ...given('outcome', row.outcome === null ? undefined : object(row.outcome)),
    ...given('error', errorOf(row)),
  };
}

/** One text for one set of labels, whatever the order they came in. */
export function labelText(labels: Labels): string {
  return JSON.stringify(Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))));
}

function errorOf(row: RunsTable): RunError | undefined {
  if (row.error_code === null) return undefined;
  return { code: row.error_code, message: row.error_message ?? '', ...given('hint', row.error_hint ?? undefined) };
}

function object(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>;
}
