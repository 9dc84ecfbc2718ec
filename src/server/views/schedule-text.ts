/** Rows of schedules as the JSON that `showSchedule` makes of a schedule, without making one of them first: for lists. */
import type { SchedulesTable } from '../../catalog/schema.ts';
import { moment, seconds, text } from './text.ts';

export function scheduleText(row: SchedulesTable): string {
  return (
    `{"id":"${row.id}","app":${text(row.app)},"name":${text(row.name)},"kind":${text(row.kind)},"params":${row.params},` +
    `"cron":${text(row.cron)},"timezone":${text(row.timezone)},"jitter_s":${seconds(row.jitter_ms)},` +
    `"catch_up":${row.catch_up === 1},"blackout":${row.blackout},"after":${text(row.after_schedule)},` +
    `"priority":${row.priority},"retries":${row.retries},"time_limit_s":${seconds(row.time_limit_ms)},` +
    `"labels":${row.labels},"enabled":${row.enabled === 1},"origin":"${row.origin}","version":${row.version},` +
    `"next_at":${moment(row.next_at)},"last_run":${text(row.last_run)},` +
    `"created_at":${moment(row.created_at)},"updated_at":${moment(row.updated_at)}}`
  );
}
