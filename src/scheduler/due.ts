/**
 * What a schedule asks for between the last look and now. Pure: a schedule, a time, an answer. Nothing due is dropped in silence: each
 * occurrence either runs or is skipped with a reason, and one key per occurrence makes sure that neither happens twice.
 */
import { formatDuration } from '../base/durations.ts';
import { type Blackout, outsideBlackouts } from './blackout.ts';
import { dueTimes, nextTime } from './cron.ts';

export interface Timetable {
  readonly id: string;
  /** Empty: never by the clock, only after another schedule. */
  readonly cron: string;
  readonly timezone: string;
  readonly jitterMs: number;
  readonly catchUp: boolean;
  readonly blackout: readonly Blackout[];
  readonly enabled: boolean;
  /** Due times up to here are dealt with, ms since the epoch. */
  readonly evaluatedUntil: number;
}

export interface DueRun {
  readonly what: 'run';
  /** The time of the timetable. */
  readonly scheduledFor: number;
  /** Not before this time: jitter and blackout windows have their say. */
  readonly startAt: number;
  readonly trigger: 'schedule' | 'catch-up';
  readonly dedupe: string;
  readonly reason?: string;
}

export interface DueSkip {
  readonly what: 'skip';
  readonly scheduledFor: number;
  readonly dedupe: string;
  readonly reason: string;
}

export type Occurrence = DueRun | DueSkip;

export interface Evaluation {
  /** Oldest first. */
  readonly occurrences: readonly Occurrence[];
  readonly evaluatedUntil: number;
  /** When to look again; null: never. */
  readonly nextAt: number | null;
}

/** What was due longer ago than this was missed. */
const ON_TIME_MS = 5 * 60_000;
/** Of more missed occurrences than this the oldest are told of together. */
export const RECORDED_MISSES = 24;

/** A clock that went back makes no time come twice: what was dealt with keeps its key. */
export function evaluate(schedule: Timetable, now: number): Evaluation {
  const { cron, timezone, enabled } = schedule;
  if (!enabled || cron === '') return { occurrences: [], evaluatedUntil: now, nextAt: null };
  const after = Math.min(schedule.evaluatedUntil, now);
  const { times, more, next } = dueTimes(cron, timezone, { after, until: now, limit: RECORDED_MISSES + 1 });
  const nextAt = next ?? null;
  const newest = times.at(-1);
  if (newest === undefined) return { occurrences: [], evaluatedUntil: now, nextAt };
  const missed = times.slice(0, -1).map((time, at) => miss(schedule, time, newest, more && at === 0));
  return {
    occurrences: [...missed, newestOf(schedule, newest, { now, missed: missed.length, more })],
    evaluatedUntil: now,
    nextAt,
  };
}

function miss(schedule: Timetable, time: number, newest: number, more: boolean): DueSkip {
  const older = more ? ' Older ones were missed as well.' : '';
  const reason = `Missed: nothing looked at schedules then. The run of ${utc(newest)} stands for it.${older}`;
  return skip(schedule, time, reason);
}

interface Moment {
  readonly now: number;
  readonly missed: number;
  readonly more: boolean;
}

function newestOf(schedule: Timetable, time: number, { now, missed, more }: Moment): Occurrence {
  const { cron, timezone } = schedule;
  const late = now - time > ON_TIME_MS;
  if (late && !schedule.catchUp)
    return skip(schedule, time, 'Missed: nothing looked at schedules then, and this schedule does not catch up.');
  const from = late ? now : time;
  const wanted = from + jitter(schedule, time);
  const startAt = outsideBlackouts(schedule.blackout, timezone, wanted);
  if (startAt === undefined) return skip(schedule, time, 'The blackout windows leave no time to run.');
  const next = startAt > wanted ? nextTime(cron, timezone, from) : undefined;
  if (next !== undefined && startAt >= next)
    return skip(schedule, time, `In a blackout window until ${utc(startAt)}; the next occurrence comes first.`);
  const reasons = [
    ...(late ? [`${formatDuration(now - time)} late: nothing looked at schedules when it was due.`] : []),
    ...(missed > 0 ? [`Stands for ${more ? 'more than ' : ''}${missed} missed before.`] : []),
    ...(startAt > wanted ? [`Put off by a blackout window until ${utc(startAt)}.`] : []),
  ];
  return {
    what: 'run',
    scheduledFor: time,
    startAt,
    trigger: late || missed > 0 ? 'catch-up' : 'schedule',
    dedupe: `run:${schedule.id}@${time}`,
    ...(reasons.length === 0 ? {} : { reason: reasons.join(' ') }),
  };
}

/** Its own key: a time that a wrong clock took for missed still runs when it comes. */
function skip({ id }: Timetable, scheduledFor: number, reason: string): DueSkip {
  return { what: 'skip', scheduledFor, dedupe: `skip:${id}@${scheduledFor}`, reason };
}

/** The same for the same occurrence, spread evenly over all (FNV-1a). */
function jitter({ id, jitterMs }: Timetable, time: number): number {
  if (jitterMs === 0) return 0;
  const text = `${id}@${time}`;
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % jitterMs;
}

function utc(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
