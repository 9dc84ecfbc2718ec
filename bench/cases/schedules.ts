/** What is due: ten thousand schedules looked at, as between two ticks of the scheduler. */
import { evaluate, type Timetable } from '../../src/scheduler/due.ts';
import type { Bench } from '../harness/context.ts';
import type { Figure } from '../harness/results.ts';

const SCHEDULES = 10_000;
const NOW = Date.UTC(2026, 10, 21, 2);
const DAY = 86_400_000;

export const schedules: Bench = {
  name: 'schedules',
  title: 'Ten thousand schedules',
  run: async () => ({
    about:
      'Expressions and times all different, in the time zone Europe/Madrid, in one process on one thread. What is due is computed, not yet written.',
    rows: [],
    figures: [look('looked at, few of them due', 5_000), look('looked at, all due after a day without service', DAY)],
  }),
};

/** Processor time of the middle of five looks, once the expressions are known: as every look after the first. */
function look(what: string, since: number): Figure {
  const schedules = Array.from({ length: SCHEDULES }, (_, n): Timetable => {
    const cron = `${n % 60} ${Math.floor(n / 60) % 24} * * *`;
    const rest = { timezone: 'Europe/Madrid', jitterMs: 300_000, catchUp: true, blackout: [], enabled: true };
    return { id: `app${n}`, cron, ...rest, evaluatedUntil: NOW - since };
  });
  const looks = Array.from({ length: 6 }, () => {
    const before = process.cpuUsage();
    for (const schedule of schedules) evaluate(schedule, NOW);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  });
  const [, , middle = 0] = looks.slice(1).sort((a, b) => a - b);
  return { what: `${what}: processor time`, value: `${Math.round(middle)} ms` };
}
