/**
 * When a schedule is due. The same answers as croner gives (a test keeps them equal), at a hundredth of its time: ten thousand schedules
 * are looked at between two ticks. Where clocks change, a time of day that they leap over comes right after the leap, and one that they
 * show twice counts once; an interval (a star in the hours) goes on by the time that really passes.
 */
import { type Expression, nextLocal, parseExpression } from './cron/expression.ts';
import { Zone } from './cron/zone.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const KEPT = 20_000;

export type Every = 'hourly' | 'daily' | 'weekly' | 'monthly';

/** At night, each after what it builds on: backups at two, what reads them at three and four, cleaning up at five. */
const PRESETS: Readonly<Record<Every, (run: string) => string>> = {
  hourly: () => '0 * * * *',
  daily: (run) => `0 ${nightHour(run)} * * *`,
  weekly: (run) => `0 ${run === 'backup' ? 3 : nightHour(run)} * * 0`,
  monthly: (run) => `0 ${run === 'backup' ? 3 : nightHour(run)} 1 * *`,
};

function nightHour(run: string): number {
  if (run === 'backup') return 2;
  if (run === 'prune') return 5;
  return run === 'prove' || run === 'drill' ? 3 : 4;
}

/** The cron expression that a preset stands for. */
export function presetCron(every: Every, run: string): string {
  return PRESETS[every](run);
}

/** The first time after `after` (exclusive); undefined when there is none. `usage` or a RangeError for what is no expression or no zone. */
export function nextTime(cron: string, timezone: string, after: number): number | undefined {
  return next(expression(cron), zone(timezone), after);
}

export interface DueTimes {
  /** Ascending; the newest ones when there are more. */
  readonly times: readonly number[];
  /** Whether there were older ones, too. */
  readonly more: boolean;
  /** The first after them that is beyond `until`. */
  readonly next: number | undefined;
}

/** The times after `after` up to and including `until`, at most `limit` of them, however long that is. */
export function dueTimes(cron: string, timezone: string, { after, until, limit }: Span): DueTimes {
  const parsed = expression(cron);
  const where = zone(timezone);
  const { times, beyond } = between(parsed, where, { after, until, limit });
  if (times.length <= limit) return { times, more: false, next: beyond };
  for (let length = HOUR; ; length *= 4) {
    const span = { after: Math.max(after, until - length), until, limit: Number.POSITIVE_INFINITY };
    const newest = between(parsed, where, span);
    if (newest.times.length >= limit) return { times: newest.times.slice(-limit), more: true, next: newest.beyond };
  }
}

interface Span {
  readonly after: number;
  readonly until: number;
  readonly limit: number;
}

/** One more than `limit` when there are more; `beyond`: the time after them. */
function between(parsed: Expression, where: Zone, { after, until, limit }: Span) {
  const times: number[] = [];
  let beyond = next(parsed, where, after);
  while (beyond !== undefined && beyond <= until && times.length <= limit) {
    times.push(beyond);
    beyond = next(parsed, where, beyond);
  }
  return { times, beyond };
}

function next(parsed: Expression, where: Zone, after: number): number | undefined {
  return parsed.fixed ? nextOfDay(parsed, where, after) : nextOfInterval(parsed, where, after);
}

function nextOfDay(parsed: Expression, where: Zone, after: number): number | undefined {
  let local = after + where.offset(after) + 1;
  for (;;) {
    const wall = nextLocal(parsed, local);
    if (wall === undefined) return undefined;
    const at = where.instant(wall);
    if (at > after) return at;
    local = wall + MINUTE; // clocks showed this time before, and will show it again
  }
}

function nextOfInterval(parsed: Expression, where: Zone, after: number): number | undefined {
  let from = after + 1;
  for (;;) {
    const offset = where.offset(from);
    const wall = nextLocal(parsed, from + offset);
    if (wall === undefined) return undefined;
    const change = where.nextChange(from);
    if (change === undefined || wall - offset < change) return wall - offset;
    from = change;
  }
}

const expressions = new Map<string, Expression>();
const zones = new Map<string, Zone>();

const expression = (cron: string) => kept(expressions, cron, () => parseExpression(cron));
const zone = (name: string) => kept(zones, name, () => new Zone(name));

function kept<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  if (map.size >= KEPT) map.clear();
  const made = make();
  map.set(key, made);
  return made;
}
