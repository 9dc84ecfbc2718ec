/**
 * Rows of runs as the JSON that `showRun` makes of a run, without making a run of them first: what lies in the catalog as JSON is passed on
 * as it is. Of a page of runs that is a third of the work.
 */
import type { RunRow } from '../../catalog/runs.ts';
import { moment, seconds, text } from './text.ts';

export function runText(row: RunRow): string {
  return (
    `{"id":"${row.id}","app":${text(row.app)},"kind":${text(row.kind)},"params":${row.params},"state":"${row.state}",` +
    `"priority":${row.priority},"trigger":${text(row.trigger)},"reason":${text(row.reason)},` +
    `"requested_by":${text(row.requested_by)},"schedule":${text(row.schedule_id)},` +
    `"scheduled_for":${moment(row.scheduled_for)},"after_run":${text(row.after_run)},"labels":${row.labels},` +
    `"attempt":${row.attempt},"max_attempts":${row.max_attempts},"time_limit_s":${seconds(row.time_limit_ms)},` +
    `"not_before":${moment(row.not_before)},"created_at":${moment(row.created_at)},` +
    `"started_at":${moment(row.started_at)},"finished_at":${moment(row.finished_at)},"worker":${text(row.worker)},` +
    `"cancel_requested":${row.cancel_requested === 1},"cancelled_by":${text(row.cancelled_by)},` +
    `"progress":${row.progress},"outcome":${row.outcome},"error":${errorText(row)}}`
  );
}

function errorText({ error_code: code, error_message: message, error_hint: hint }: RunRow): string {
  if (code === null) return 'null';
  return `{"code":${text(code)},"message":${text(message ?? '')},"hint":${text(hint)}}`;
}
