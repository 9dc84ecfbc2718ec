/** Alerts, deliveries and mutes as the API shows them. */
import type * as api from '../../api/alerts.ts';
import type { Act, Alert } from '../../catalog/alerts.ts';
import type { Delivery } from '../../catalog/deliveries.ts';
import type { Mute } from '../../catalog/mutes.ts';
import { time } from './times.ts';

export function showAlert(alert: Alert): api.Alert {
  const { id, rule, cause, severity, state, title, message, details, count, escalation, resolved } = alert;
  return {
    ...{ id, rule, cause, severity, state, title, message, details, count, escalation },
    ...{ app: alert.app ?? null, storage: alert.storage ?? null, run: alert.runId ?? null },
    ...{ first_at: time(alert.firstAt), last_at: time(alert.lastAt) },
    acknowledged: alert.acknowledged === undefined ? null : showAct(alert.acknowledged),
    resolved:
      resolved === undefined ? null : { by: resolved.by ?? null, at: time(resolved.at), note: resolved.note ?? null },
    muted_until: alert.mutedUntil === undefined ? null : time(alert.mutedUntil),
    muted_by: alert.mutedBy ?? null,
    freezes_retention: alert.freezesRetention,
  };
}

export function showDelivery(delivery: Delivery): api.Delivery {
  const { id, channel, event, state, attempts, body } = delivery;
  return {
    ...{ id, channel, event, state, attempts, alert: delivery.alertId ?? null, digest: delivery.digest ?? null },
    created_at: time(delivery.createdAt),
    next_at: state === 'pending' ? time(delivery.nextAt) : null,
    sent_at: delivery.sentAt === undefined ? null : time(delivery.sentAt),
    ...{ status: delivery.status ?? null, error: delivery.error ?? null },
    content: body === '' ? null : (JSON.parse(body) as Record<string, unknown>),
  };
}

export function showMute({ id, matches, until, reason, createdBy, createdAt }: Mute): api.Mute {
  const { rule = null, app = null, storage = null, severity = null } = matches;
  return {
    ...{ id, rule, app, storage, severity, until: time(until), reason: reason ?? null },
    ...{ created_by: createdBy, created_at: time(createdAt) },
  };
}

function showAct({ by, at, note }: Act) {
  return { by, at: time(at), note: note ?? null };
}
