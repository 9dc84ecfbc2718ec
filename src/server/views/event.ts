/** Events as the API shows them, as JSON: those that come by, and rows of the past. */
import type { CatalogEvent, EventRow } from '../../catalog/events.ts';
import { moment, text } from './text.ts';

export function eventText({ seq, at, type, app, runId, data }: CatalogEvent): string {
  return rowText({ seq, at, type, app: app ?? null, run_id: runId ?? null, data: JSON.stringify(data) });
}

export function rowText({ seq, at, type, app, run_id: run, data }: EventRow): string {
  return `{"seq":${seq},"at":${moment(at)},"type":${text(type)},"app":${text(app)},"run":${text(run)},"data":${data}}`;
}
