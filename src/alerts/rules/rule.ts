/** What rules look at and what they say. A rule is a pure function of facts: it reads nothing, remembers nothing, waits for nothing. */
import type { Alert, Finding } from '../../catalog/alerts.ts';
import type { AuditSight } from '../../catalog/audit-sight.ts';
import type { Run } from '../../catalog/runs.ts';
import type { Schedule } from '../../catalog/schedules.ts';
import type { KnownStatus, KnownStorage } from '../../catalog/statuses.ts';
import type { AlertRuleName, AlertRules } from '../../config/alert-settings.ts';

/** Something is wrong with what `cause` names, or it is known to be right. Of what is not known a rule says nothing. */
export type Verdict = Firing | Fine;
export type Firing = Finding & { readonly state: 'firing'; readonly rule: AlertRuleName };
export interface Fine {
  readonly state: 'fine';
  readonly cause: string;
  /** How that was seen. */
  readonly because?: string;
}

/** All that is known of one app, or of the repository as a whole, which is the app `*`. */
export interface AppFacts {
  /** ms since the epoch. */
  readonly now: number;
  readonly app: string;
  /** ms. */
  readonly objectives: { readonly rpo?: number; readonly rto?: number };
  /** Runs that ended, by kind, the newest first, skipped and cancelled ones left out. */
  readonly ended: Readonly<Record<string, readonly Run[]>>;
  /** Runs that wait for a worker, or run. */
  readonly open: readonly Run[];
  readonly schedules: readonly Schedule[];
  /** The last run of each schedule, by its id. */
  readonly lastOf: ReadonlyMap<string, Run>;
  /** Sizes of points in bytes with the run that made them, the newest first. */
  readonly sizes: readonly PointSize[];
  readonly status: KnownStatus | undefined;
  /** What freezes retention, the oldest first. */
  readonly freezing: Alert | undefined;
}

export interface PointSize {
  readonly point: string;
  readonly time: number;
  readonly bytes: number;
  /** Only points of the same sources are compared. */
  readonly sources: string;
}

/** What belongs to no app. */
export interface ServiceFacts {
  readonly now: number;
  readonly storages: readonly KnownStorage[];
  readonly capacity: readonly {
    readonly storage: string;
    readonly used: number;
    /** Absent where nobody knows. */
    readonly total?: number;
    readonly at: number;
  }[];
  readonly workers: readonly { readonly name: string; readonly role: string; readonly seenAt: number }[];
  /** Clocks that are not ours, and how far they are ahead, in ms. */
  readonly clocks: readonly { readonly whose: string; readonly ahead: number }[];
  /** When schedules were last looked at; undefined: never. */
  readonly scheduler: number | undefined;
  /** Undefined: the audit log was never held against the storages. */
  readonly audit: AuditSight | undefined;
}

export type AppRule = (facts: AppFacts, rules: AlertRules) => readonly Verdict[];
export type ServiceRule = (facts: ServiceFacts, rules: AlertRules) => readonly Verdict[];

/** Of `*` the alert belongs to no app. */
export function aboutApp(app: string): { readonly app?: string } {
  return app === '*' ? {} : { app };
}

/** A condition that lasts is seen once a day: what a person resolved while it lasts comes back with the next day. */
export function today(now: number): string {
  return new Date(now).toISOString().slice(0, 10);
}

export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return undefined;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A member of something that a command printed. */
export function numberIn(value: unknown, key: string): number | undefined {
  const found = member(value, key);
  return typeof found === 'number' && Number.isFinite(found) ? found : undefined;
}

export function textIn(value: unknown, key: string): string | undefined {
  const found = member(value, key);
  return typeof found === 'string' ? found : undefined;
}

export function listIn(value: unknown, key: string): readonly unknown[] {
  const found = member(value, key);
  return Array.isArray(found) ? found : [];
}

export function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
