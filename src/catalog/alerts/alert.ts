/** An alert as the rest of the program sees it, and what makes one. */
import { given } from '../../base/given.ts';
import type { AlertState, AlertsTable, Severity } from '../schema.ts';

export type { AlertState, Severity } from '../schema.ts';

/** From the least to the most urgent. */
export const SEVERITIES: readonly Severity[] = ['INFO', 'WARNING', 'ERROR', 'CRITICAL'];

/** Something a person must know. */
export interface Finding {
  readonly rule: string;
  /** What is wrong with what, such as `backup_failure:clinic`: at most one alert that is not resolved has it. */
  readonly cause: string;
  readonly severity: Severity;
  readonly app?: string;
  readonly storage?: string;
  readonly runId?: string;
  /** One line. */
  readonly title: string;
  readonly message: string;
  /** Figures and thresholds; never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
  /**
   * What it is seen by: a run, a day. Seen by the same again, nothing changes, and what a person resolved is not raised again by it. Absent:
   * every call counts.
   */
  readonly evidence?: string;
  /** Nothing is removed by retention until a person resolves it. */
  readonly freezesRetention?: boolean;
}

/** Times are ms since the epoch. */
export interface Alert
  extends Required<Pick<Finding, 'rule' | 'cause' | 'severity' | 'title' | 'message' | 'details'>> {
  readonly id: string;
  readonly state: AlertState;
  readonly app?: string;
  readonly storage?: string;
  readonly runId?: string;
  /** How often it was seen. */
  readonly count: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly acknowledged?: Act;
  /** Without `by`: the cause went away by itself; `note` says how that was seen. */
  readonly resolved?: Partial<Act> & { readonly at: number };
  readonly mutedUntil?: number;
  readonly mutedBy?: string;
  readonly escalation: number;
  readonly freezesRetention: boolean;
  readonly evidence?: string;
}

/** What a person did. */
export interface Act {
  readonly by: string;
  readonly at: number;
  readonly note?: string;
}

export function toAlert(row: AlertsTable): Alert {
  return {
    ...{ id: row.id, rule: row.rule, cause: row.cause, severity: row.severity, state: row.state },
    ...{ title: row.title, message: row.message, details: JSON.parse(row.details) as Record<string, unknown> },
    ...given('app', row.app ?? undefined),
    ...given('storage', row.storage ?? undefined),
    ...given('runId', row.run_id ?? undefined),
    ...{ count: row.count, firstAt: row.first_at, lastAt: row.last_at, escalation: row.escalation },
    ...given('acknowledged', actOf(row.acknowledged_by, row.acknowledged_at, row.acknowledge_note)),
    ...given('resolved', endOf(row)),
    ...given('mutedUntil', row.muted_until ?? undefined),
    ...given('mutedBy', row.muted_by ?? undefined),
    freezesRetention: row.freezes_retention === 1,
    ...given('evidence', row.evidence ?? undefined),
  };
}

function actOf(by: string | null, at: number | null, note: string | null): Act | undefined {
  return by === null || at === null ? undefined : { by, at, ...given('note', note ?? undefined) };
}

function endOf(row: AlertsTable): Alert['resolved'] {
  if (row.resolved_at === null) return undefined;
  return {
    at: row.resolved_at,
    ...given('by', row.resolved_by ?? undefined),
    ...given('note', row.resolve_note ?? undefined),
  };
}

export function isWorse(severity: Severity, than: Severity): boolean {
  return SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(than);
}
