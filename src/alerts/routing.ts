/** Who is told of what. Pure. */
import type { Alert } from '../catalog/alerts.ts';
import type { AlertPolicy, AlertRoute } from '../config/alert-settings.ts';
import { inHours } from '../config/hours.ts';

export interface Destinations {
  readonly channels: readonly string[];
  /** ms until it is escalated; undefined: it is not. */
  readonly escalateAfter?: number;
  /** A route fits, but not at this hour: to be asked again later. */
  readonly later: boolean;
}

/** Every route that fits is followed; where none ever fits, the fallback. A channel is never told of its own failing. */
export function destinations(alert: Alert, policy: AlertPolicy, now: number): Destinations {
  const fitting = policy.routes.filter((route) => fits(route, alert));
  const open = fitting.filter((route) => isOpen(route, now));
  const except = ownChannel(alert);
  const named = fitting.length > 0 ? open.flatMap(({ channels }) => channels) : policy.fallback;
  const channels = [...new Set(named)].filter((channel) => channel !== except && isMessaged(policy, channel));
  const waits = open.flatMap(({ escalate }) => (escalate === undefined ? [] : [escalate.after]));
  return {
    channels,
    ...(waits.length > 0 ? { escalateAfter: Math.min(...waits) } : {}),
    later: fitting.length > 0 && open.length === 0,
  };
}

/** Whom it is escalated to, whatever the hour. */
export function escalation(alert: Alert, policy: AlertPolicy): readonly string[] {
  const to = policy.routes.filter((route) => fits(route, alert)).flatMap(({ escalate }) => escalate?.to ?? []);
  return [...new Set(to)].filter((channel) => channel !== ownChannel(alert) && isMessaged(policy, channel));
}

function fits({ severity, apps, rules }: AlertRoute, alert: Alert): boolean {
  if (severity !== undefined && !severity.includes(alert.severity)) return false;
  if (rules !== undefined && !rules.includes(alert.rule)) return false;
  return apps === undefined || (alert.app !== undefined && apps.includes(alert.app));
}

function isOpen({ hours, timezone }: AlertRoute, now: number): boolean {
  return hours === undefined || inHours(hours, now, timezone);
}

/** Checks that count runs are told of runs only. */
function isMessaged({ channels }: AlertPolicy, name: string): boolean {
  return Object.hasOwn(channels, name) && channels[name] !== 'healthchecks';
}

function ownChannel({ rule, details }: Alert): unknown {
  return rule === 'channel_failing' ? details.channel : undefined;
}
