/** What a channel is given: one change of one alert, many of them in a digest, or a test. A plain value, kept as the body of the delivery. */
import { given } from '../base/given.ts';
import type { Alert } from '../catalog/alerts.ts';

export type NoticeEvent = 'fire' | 'worse' | 'acknowledge' | 'resolve' | 'escalate' | 'digest' | 'test';

/** The alert as it was then, in the names of the API. Times are RFC 3339. */
export interface NoticeAlert {
  readonly id: string;
  readonly rule: string;
  readonly severity: Alert['severity'];
  readonly state: Alert['state'];
  readonly app: string | null;
  readonly storage: string | null;
  readonly run: string | null;
  readonly title: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly count: number;
  readonly first_at: string;
  readonly last_at: string;
  readonly acknowledged_by: string | null;
  readonly acknowledge_note: string | null;
  readonly resolved_by: string | null;
  readonly resolved_at: string | null;
  readonly resolve_note: string | null;
  readonly freezes_retention: boolean;
}

/** One line of a digest. */
export interface DigestLine {
  readonly event: NoticeEvent;
  readonly id: string;
  readonly severity: Alert['severity'];
  readonly app: string | null;
  readonly title: string;
}

export interface Notice {
  readonly event: NoticeEvent;
  /** RFC 3339: when it happened. */
  readonly at: string;
  readonly alert?: NoticeAlert;
  readonly digest?: { readonly count: number; readonly first: readonly DigestLine[] };
  /** Where more can be read. */
  readonly link?: string;
}

/** What a check that counts runs is told. */
export interface Ping {
  readonly event: 'ping';
  readonly ping: 'start' | 'success' | 'fail';
  readonly run: string;
  readonly text: string;
}

export function noticeOf(event: NoticeEvent, alert: Alert, at: number, baseUrl?: string): Notice {
  return {
    event,
    at: new Date(at).toISOString(),
    alert: noticeAlert(alert),
    ...given('link', baseUrl === undefined ? undefined : `${baseUrl}/api/v1/alerts/${alert.id}`),
  };
}

function noticeAlert(alert: Alert): NoticeAlert {
  const { id, rule, severity, state, title, message, details, count, acknowledged, resolved, freezesRetention } = alert;
  return {
    ...{ id, rule, severity, state, title, message, details, count },
    ...{ app: alert.app ?? null, storage: alert.storage ?? null, run: alert.runId ?? null },
    ...{ first_at: new Date(alert.firstAt).toISOString(), last_at: new Date(alert.lastAt).toISOString() },
    ...{ acknowledged_by: acknowledged?.by ?? null, acknowledge_note: acknowledged?.note ?? null },
    ...{ resolved_by: resolved?.by ?? null, resolve_note: resolved?.note ?? null },
    resolved_at: resolved === undefined ? null : new Date(resolved.at).toISOString(),
    freezes_retention: freezesRetention,
  };
}
