/** The scheduler: ten thousand schedules looked at, and ten thousand apps on two hundred workers for thirty simulated days. */
import { join } from 'node:path';
import { sql } from 'kysely';
import { systemClock } from '../../src/base/clock.ts';
import { formatDuration } from '../../src/base/durations.ts';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { evaluate, type Timetable } from '../../src/scheduler/due.ts';
import { simulate } from '../../src/scheduler/testing/simulation.ts';
import type { Bench } from '../harness/context.ts';
import type { Figure } from '../harness/results.ts';

const SCHEDULES = 10_000;
const NOW = Date.UTC(2026, 10, 21, 2);
const DAY = 86_400_000;
const HOUR = 3_600_000;

export const scheduler: Bench = {
  name: 'scheduler',
  title: 'Ten thousand schedules; thirty simulated days of two hundred workers',
  async run({ quick, workspace, say }) {
    const figures = [
      look('10,000 schedules looked at, few of them due', 5_000),
      look('10,000 schedules looked at, all due after a day without service', DAY),
    ];
    const [apps, workers, days] = quick ? [200, 4, 2] : [10_000, 200, 30];
    say(`simulating ${apps} apps on ${workers} workers for ${days} days …`);
    await using catalog = await openCatalog({ path: join(workspace.path, 'simulation.sqlite') });
    await sql`pragma synchronous = off`.execute(catalog.db); // no power fails here: a million commits need not wait for the disk
    const before = process.cpuUsage();
    const start = systemClock.monotonic();
    const found = await simulate(catalog, { apps, workers, days, seed: 1, mishapEvery: (50 * HOUR) / workers });
    const { worstWait, ...counts } = found;
    const { user, system } = process.cpuUsage(before);
    figures.push(
      ...Object.entries(counts).map(
        ([what, value]): Figure => ({ what: `simulation: ${what}`, value: value.toLocaleString('en') }),
      ),
      { what: 'simulation: longest wait of a run', value: formatDuration(worstWait) },
      { what: 'simulation: time it took', value: formatDuration(systemClock.monotonic() - start) },
      { what: 'simulation: processor time', value: formatDuration((user + system) / 1_000) },
    );
    return {
      about:
        'Expressions and times all different, in the time zone Europe/Madrid. The simulation has the real scheduler, workers and catalog (SQLite); time and the commands are made up. A backup of each app each ' +
        'night takes 2 to 20 minutes, 2 % fail at first, some die before or after they are done; workers and schedulers are killed and paused (up to an hour) all the while.',
      rows: [],
      figures,
    };
  },
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
