/** The scheduler and its workers: ten thousand apps on two hundred workers for thirty simulated days. */
import { join } from 'node:path';
import { sql } from 'kysely';
import { systemClock } from '../../src/base/clock.ts';
import { formatDuration } from '../../src/base/durations.ts';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { simulate } from '../../src/scheduler/testing/simulation.ts';
import type { Bench } from '../harness/context.ts';
import type { Figure } from '../harness/results.ts';

const HOUR = 3_600_000;

export const scheduler: Bench = {
  name: 'scheduler',
  title: 'Thirty simulated days of ten thousand apps on two hundred workers',
  async run({ quick, workspace, say }) {
    const [apps, workers, days] = quick ? [200, 4, 2] : [10_000, 200, 30];
    say(`simulating ${apps} apps on ${workers} workers for ${days} days …`);
    await using catalog = await openCatalog({ path: join(workspace.path, 'simulation.sqlite') });
    await sql`pragma synchronous = off`.execute(catalog.db); // no power fails here: a million commits need not wait for the disk
    const before = process.cpuUsage();
    const start = systemClock.monotonic();
    const found = await simulate(catalog, { apps, workers, days, seed: 1, mishapEvery: (50 * HOUR) / workers });
    const { worstWait, ...counts } = found;
    const { user, system } = process.cpuUsage(before);
    const figures = [
      ...Object.entries(counts).map(
        ([what, value]): Figure => ({ what: `simulation: ${what}`, value: value.toLocaleString('en') }),
      ),
      { what: 'simulation: longest wait of a run', value: formatDuration(worstWait) },
      { what: 'simulation: time it took', value: formatDuration(systemClock.monotonic() - start) },
      { what: 'simulation: processor time', value: formatDuration((user + system) / 1_000) },
    ];
    return {
      about:
        'The real scheduler, workers and catalog (SQLite); time and the commands are made up. A backup of each app each ' +
        'night takes 2 to 20 minutes, 2 % fail at first, some die before or after they are done; workers and schedulers are killed and paused (up to an hour) all the while.',
      rows: [],
      figures,
    };
  },
};
