/** Runs as the API shows them. */
import type { Run as ShownRun } from '../../api/runs.ts';
import type { LogLine, RunStep } from '../../catalog/run-log.ts';
import type { Run } from '../../catalog/runs.ts';
import { secondsOrNull, time, timeOrNull } from './times.ts';

export function showRun(run: Run): ShownRun {
  const { error } = run;
  // A page has hundreds of these: members one by one, without copies of anything.
  return {
    id: run.id,
    app: run.app,
    kind: run.kind,
    params: run.params as Record<string, unknown>,
    state: run.state,
    priority: run.priority,
    trigger: run.trigger,
    reason: run.reason ?? null,
    requested_by: run.requestedBy ?? null,
    schedule: run.scheduleId ?? null,
    scheduled_for: timeOrNull(run.scheduledFor),
    after_run: run.afterRun ?? null,
    labels: run.labels as Record<string, string>,
    attempt: run.attempt,
    max_attempts: run.maxAttempts,
    time_limit_s: secondsOrNull(run.timeLimitMs),
    not_before: time(run.notBefore),
    created_at: time(run.createdAt),
    started_at: timeOrNull(run.startedAt),
    finished_at: timeOrNull(run.finishedAt),
    worker: run.worker ?? null,
    cancel_requested: run.cancelRequested,
    cancelled_by: run.cancelledBy ?? null,
    progress: (run.progress as Record<string, unknown> | undefined) ?? null,
    outcome: (run.outcome as Record<string, unknown> | undefined) ?? null,
    error: error === undefined ? null : { code: error.code, message: error.message, hint: error.hint ?? null },
  };
}

export function showStep(step: RunStep & { readonly attempt: number }) {
  return {
    ...{ attempt: step.attempt, seq: step.seq, step: step.step, title: step.title, state: step.state },
    started_at: time(step.startedAt),
    finished_at: timeOrNull(step.finishedAt),
    ...{ bytes: step.bytes ?? null, items: step.items ?? null },
    ...{ total_bytes: step.totalBytes ?? null, total_items: step.totalItems ?? null },
    message: step.message ?? null,
  };
}

export function showLine({ seq, attempt, at, level, message, data }: LogLine) {
  return { seq, attempt, at: time(at), level, message, data: data ?? null };
}
