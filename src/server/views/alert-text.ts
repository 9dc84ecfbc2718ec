/** Rows of alerts and deliveries as the JSON that `showAlert` and `showDelivery` make, without making anything of them first: for lists. */
import type { AlertsTable, DeliveriesTable } from '../../catalog/schema.ts';
import { moment, text } from './text.ts';

export function alertText(row: AlertsTable): string {
  return (
    `{"id":"${row.id}","rule":${text(row.rule)},"cause":${text(row.cause)},"severity":"${row.severity}",` +
    `"state":"${row.state}","title":${text(row.title)},"message":${text(row.message)},"details":${row.details},` +
    `"count":${row.count},"escalation":${row.escalation},"app":${text(row.app)},"storage":${text(row.storage)},` +
    `"run":${text(row.run_id)},"first_at":${moment(row.first_at)},"last_at":${moment(row.last_at)},` +
    `"acknowledged":${acknowledgedText(row)},"resolved":${resolvedText(row)},` +
    `"muted_until":${moment(row.muted_until)},"muted_by":${text(row.muted_by)},` +
    `"freezes_retention":${row.freezes_retention === 1}}`
  );
}

function acknowledgedText({ acknowledged_by: by, acknowledged_at: at, acknowledge_note: note }: AlertsTable): string {
  if (by === null || at === null) return 'null';
  return `{"by":${text(by)},"at":${moment(at)},"note":${text(note)}}`;
}

function resolvedText({ resolved_by: by, resolved_at: at, resolve_note: note }: AlertsTable): string {
  return at === null ? 'null' : `{"by":${text(by)},"at":${moment(at)},"note":${text(note)}}`;
}

export function deliveryText(row: DeliveriesTable): string {
  return (
    `{"id":"${row.id}","channel":${text(row.channel)},"event":${text(row.event)},"state":"${row.state}",` +
    `"attempts":${row.attempts},"alert":${text(row.alert_id)},"digest":${text(row.digest)},` +
    `"created_at":${moment(row.created_at)},"next_at":${row.state === 'pending' ? moment(row.next_at) : 'null'},` +
    `"sent_at":${moment(row.sent_at)},"status":${text(row.status)},"error":${text(row.error)},` +
    `"content":${row.body === '' ? 'null' : row.body}}`
  );
}
