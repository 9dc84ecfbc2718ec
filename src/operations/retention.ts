/**
 * Which points are kept and why: a pure calculation, storage by storage, that `prune --dry-run` shows and tests compare.
 *
 *   a rule keeps it   last · hourly · daily · weekly · monthly · yearly · within
 *   or it is          pinned · the newest good point of its app · the newest proven by a real restore · dated in the future
 *   or it is          proven by a real restore, and was within its rule seven days ago (grace)
 *
 * Points with fewer sources never push out points with more: a point competes only with those that hold all of its sources. Periods are
 * counted by points, not by calendar, so a wrong clock cannot empty them; `within` counts from the newest point that is not dated in the
 * future, not from now, so a clock that jumped ahead removes nothing either.
 */
import type { Id } from '../base/ids.ts';
import type { RetentionSettings } from '../config/settings.ts';
import { PROOF_LEVELS, type ProofLevel } from '../repository/meta-proofs.ts';
import { PERIODS, type Period, periodOf } from './retention/periods.ts';

/** How much longer a point stays that was proven by a real restore. */
export const GRACE_MS = 7 * 24 * 3600_000;
/** A point may be this much ahead of our clock before it counts as dated in the future. */
const CLOCK_TOLERANCE_MS = 10 * 60_000;

/** A point as one storage holds it. */
export interface RetainedPoint {
  readonly id: Id;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly sources: readonly string[];
  readonly proof: ProofLevel;
  /** Known to be damaged on this storage. */
  readonly damaged: boolean;
  readonly pinned: boolean;
}

export type RetentionDecision =
  | { readonly point: RetainedPoint; readonly keep: true; readonly reasons: readonly string[] }
  | { readonly point: RetainedPoint; readonly keep: false; readonly why: string };

export interface RetentionWorld {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Days and hours begin by this zone. */
  readonly timeZone: string;
}

/** Decides about all points of one app on one storage. Without rules every point is kept. */
export function planRetention(
  points: readonly RetainedPoint[],
  rules: RetentionSettings | undefined,
  world: RetentionWorld,
): RetentionDecision[] {
  if (rules === undefined) return points.map((point) => ({ point, keep: true, reasons: ['no rules'] }));
  const lastGood = lastGoodPoints(points);
  const groups = new Map<string, ReadonlyMap<Id, readonly string[]>>();
  const oldGroups = new Map<string, ReadonlyMap<Id, readonly string[]>>();
  return points.map((point) => {
    const key = [...point.sources].sort().join('\0');
    const rivals = points.filter((other) => holdsAll(other, point));
    const kept = cached(groups, key, () => keptByRules(rivals, rules, world));
    const keptBefore = cached(oldGroups, key, () =>
      keptByRules(rivals, rules, { ...world, now: world.now - GRACE_MS }, true),
    );
    const reasons = [
      ...(kept.get(point.id) ?? []),
      ...exceptions(point, lastGood, world),
      ...(kept.has(point.id) ? [] : grace(point, keptBefore, world)),
    ];
    return reasons.length > 0 ? { point, keep: true, reasons } : { point, keep: false, why: describeRules(rules) };
  });
}

/** The points that are never removed: of each set of sources the newest that is whole, and the newest of those proven by a restore. */
export function lastGoodPoints(points: readonly RetainedPoint[]): ReadonlyMap<Id, string> {
  const found = new Map<Id, string>();
  for (const point of points) {
    const rivals = points.filter((other) => holdsAll(other, point) && !other.damaged);
    const newest = rivals.reduce<RetainedPoint | undefined>(newer, undefined);
    if (newest === undefined) continue;
    found.set(newest.id, 'the newest good point');
    const proven = rivals.filter(isProven).reduce<RetainedPoint | undefined>(betterProof, undefined);
    if (proven !== undefined && !found.has(proven.id)) found.set(proven.id, 'the newest proven by a restore');
  }
  if (found.size === 0) for (const { id } of points) found.set(id, 'no point is known to be good');
  return found;
}

function newer(best: RetainedPoint | undefined, point: RetainedPoint): RetainedPoint {
  return best === undefined || point.time >= best.time ? point : best;
}

function betterProof(best: RetainedPoint | undefined, point: RetainedPoint): RetainedPoint {
  if (best === undefined) return point;
  const difference = PROOF_LEVELS.indexOf(point.proof) - PROOF_LEVELS.indexOf(best.proof);
  return difference > 0 || (difference === 0 && point.time >= best.time) ? point : best;
}

function exceptions(point: RetainedPoint, lastGood: ReadonlyMap<Id, string>, { now }: RetentionWorld): string[] {
  const good = lastGood.get(point.id);
  return [
    ...(point.pinned ? ['pinned'] : []),
    ...(good === undefined ? [] : [good]),
    ...(isFuture(point, now) ? ['dated in the future'] : []),
  ];
}

/** A point kept by its rule at some moment of the last seven days: it was seven days ago, or it was made since. */
function grace(point: RetainedPoint, keptBefore: ReadonlyMap<Id, unknown>, { now }: RetentionWorld): string[] {
  const isRecent = point.time > now - GRACE_MS || keptBefore.has(point.id);
  return isProven(point) && isRecent ? ['grace: proven by a restore'] : [];
}

/** What the rules keep, each with its reasons. `onlyUntilNow`: as it was at `now`, when later points did not exist. */
function keptByRules(
  points: readonly RetainedPoint[],
  rules: RetentionSettings,
  { now, timeZone }: RetentionWorld,
  onlyUntilNow = false,
): ReadonlyMap<Id, readonly string[]> {
  const newestFirst = points
    .filter((point) => !isFuture(point, now) && !(onlyUntilNow && point.time > now))
    .sort((a, b) => b.time - a.time || (a.id < b.id ? 1 : -1));
  const reasons = new Map<Id, string[]>();
  const keep = ({ id }: RetainedPoint, reason: string): void => {
    reasons.set(id, [...(reasons.get(id) ?? []), reason]);
  };
  for (const [i, point] of newestFirst.slice(0, rules.last ?? 0).entries())
    keep(point, `last ${i + 1} of ${rules.last}`);
  for (const period of PERIODS) keepPeriods(newestFirst, period, rules[period] ?? 0, timeZone, keep);
  const { within } = rules;
  const newest = newestFirst[0];
  if (within !== undefined && newest !== undefined)
    for (const point of newestFirst) if (newest.time - point.time <= within) keep(point, `within ${days(within)}`);
  return reasons;
}

/** Keeps the newest point of each of the last `count` periods that have one. */
function keepPeriods(
  newestFirst: readonly RetainedPoint[],
  period: Period,
  count: number,
  timeZone: string,
  keep: (point: RetainedPoint, reason: string) => void,
): void {
  const seen = new Set<string>();
  for (const point of newestFirst) {
    if (seen.size >= count) return;
    const name = periodOf(period, point.time, timeZone);
    if (seen.has(name)) continue;
    seen.add(name);
    keep(point, `${period} ${name}`);
  }
}

function holdsAll(holder: RetainedPoint, wanted: RetainedPoint): boolean {
  return wanted.sources.every((source) => holder.sources.includes(source));
}

function isProven({ proof, damaged }: RetainedPoint): boolean {
  return !damaged && (proof === 'restored' || proof === 'accepted');
}

function isFuture({ time }: RetainedPoint, now: number): boolean {
  return time > now + CLOCK_TOLERANCE_MS;
}

/** The rules as the record of a removal names them: `daily 7, weekly 4`. */
function describeRules(rules: RetentionSettings): string {
  const counts = ['last', ...PERIODS] as const;
  const parts = counts.flatMap((name) => (rules[name] === undefined ? [] : [`${name} ${rules[name]}`]));
  return [...parts, ...(rules.within === undefined ? [] : [`within ${days(rules.within)}`])].join(', ');
}

function days(ms: number): string {
  const hours = ms / 3600_000;
  return hours % 24 === 0 ? `${hours / 24}d` : `${Math.round(hours * 100) / 100}h`;
}

function cached<V>(cache: Map<string, V>, key: string, make: () => V): V {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make();
  cache.set(key, made);
  return made;
}
