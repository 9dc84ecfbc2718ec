/** Schedules for people. */
import type { Schedule } from '../../api/schedules.ts';
import { formatDuration } from '../../base/durations.ts';
import { moment, pairs, printFacts } from './facts.ts';
import type { Column, Output } from './output.ts';

export const scheduleColumns: readonly Column<Schedule>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'APP', value: ({ app }) => app },
  { title: 'RUNS', value: ({ kind }) => kind },
  { title: 'WHEN', value: when },
  { title: 'NEXT', value: ({ enabled, next_at }) => (enabled ? moment(next_at) : 'disabled') },
  { title: 'FROM', value: ({ origin }) => origin },
  { title: 'ID', value: ({ id }) => id },
];

/** Everything about one. */
export async function printSchedule(output: Output, schedule: Schedule): Promise<void> {
  const { blackout, jitter_s: jitter, time_limit_s: limit } = schedule;
  await printFacts(output, `${schedule.name} of ${schedule.app}`, [
    ['schedule', schedule.id],
    ['runs', `${schedule.kind} ${pairs(schedule.params)}`.trim()],
    ['when', when(schedule)],
    ['enabled', schedule.enabled ? 'yes' : 'no'],
    ['next', moment(schedule.next_at)],
    ['last run', schedule.last_run],
    ['jitter', jitter === 0 ? null : formatDuration(jitter * 1000)],
    ['catches up', schedule.catch_up ? 'once, when it was due while nothing was running' : 'no'],
    ['not during', blackout.map(({ from, to, days = [] }) => `${days.join(',')} ${from}-${to}`.trim()).join('; ')],
    ['priority', String(schedule.priority)],
    ['retries', String(schedule.retries)],
    ['time limit', limit === null ? null : formatDuration(limit * 1000)],
    ['labels', pairs(schedule.labels)],
    ['from', schedule.origin === 'file' ? 'the configuration file, where it is changed' : 'the API'],
    ['changed', moment(schedule.updated_at)],
  ]);
}

function when({ cron, timezone, after }: Schedule): string {
  return after === null ? `${cron} ${timezone}` : `after ${after}`;
}
