/** What was due and did not run; retention that stands still. */
import { formatDuration } from '../../base/durations.ts';
import type { Schedule } from '../../catalog/schedules.ts';
import { type AppFacts, type AppRule, aboutApp, today, type Verdict } from './rule.ts';

export const missedSchedule: AppRule = (facts, { missed_schedule: { after } }) =>
  facts.schedules
    .filter(({ enabled }) => enabled)
    .map((schedule): Verdict => {
      const cause = `missed_schedule:${schedule.id}`;
      const miss = missOf(facts, schedule, after);
      if (miss === undefined) return { state: 'fine', cause, because: 'It runs again.' };
      return {
        ...{ state: 'firing', rule: 'missed_schedule', cause, severity: 'ERROR', ...aboutApp(facts.app) },
        ...(miss.runId === undefined ? {} : { runId: miss.runId }),
        evidence: miss.evidence,
        title: `The ${schedule.kind} of the schedule "${schedule.name}" did not run`,
        message: miss.message,
        details: { schedule: schedule.name, kind: schedule.kind, next_at: timeOf(schedule.nextAt) },
      };
    });

interface Miss {
  readonly message: string;
  readonly evidence: string;
  readonly runId?: string;
}

function missOf(facts: AppFacts, schedule: Schedule, after: number): Miss | undefined {
  const { now, open, lastOf } = facts;
  const { nextAt, jitterMs } = schedule;
  if (nextAt !== undefined && now - nextAt > after + jitterMs)
    return {
      message: `It was due ${formatDuration(now - nextAt)} ago and nothing was started: is a service running?`,
      evidence: String(nextAt),
    };
  const waiting = open.find((run) => run.scheduleId === schedule.id && run.state === 'queued');
  const since = waiting === undefined ? now : Math.max(waiting.notBefore, waiting.createdAt);
  if (waiting !== undefined && waiting.attempt === 1 && now - since > after + jitterMs)
    return {
      message: `It waits for a worker since ${formatDuration(now - since)}: is one running that has the labels it needs, and is free?`,
      ...{ evidence: waiting.id, runId: waiting.id },
    };
  const last = lastOf.get(schedule.id);
  if (last?.state !== 'skipped') return undefined;
  return { message: `It was skipped: ${last.reason ?? 'no reason was given'}`, evidence: last.id, runId: last.id };
}

function timeOf(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}

export const retentionStands: AppRule = ({ app, now, freezing }, { retention_frozen: { after } }) => {
  const cause = `retention_frozen:${app}`;
  if (freezing === undefined) return [{ state: 'fine', cause, because: 'Retention works again.' }];
  const age = now - freezing.firstAt;
  if (age < after) return [];
  return [
    {
      ...{
        state: 'firing',
        rule: 'retention_frozen',
        cause,
        severity: 'WARNING',
        ...aboutApp(app),
        evidence: today(now),
      },
      title: 'Retention stands still',
      message: `For ${formatDuration(age)} nothing was removed, and storages fill up: "${freezing.title}" waits for an answer.`,
      details: { alert: freezing.id, seconds: age / 1000 },
    },
  ];
};
