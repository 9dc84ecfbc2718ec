/** The part that starts what is due; any number of processes may run it, one at a time does the work. */
import { newId } from '../base/ids.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Configuration } from '../config/configuration.ts';
import { type DeclaredSchedule, declaredSchedules } from '../scheduler/declared.ts';
import { Ticker } from '../scheduler/ticker.ts';
import type { ServiceWorld } from './world.ts';

export async function runScheduler(world: ServiceWorld, catalog: Catalog): Promise<void> {
  const { clock, configuration, log, signal } = world;
  const ticker = new Ticker({
    catalog,
    clock,
    holder: newId(clock.now()),
    declared: () => declaredBy(configuration.current),
    keep: () => configuration.current.keep(),
    onProblem: (message, error) => log.error(`${message}.`, { error }),
  });
  configuration.onChange(() => ticker.reload());
  await ticker.run(signal);
}

async function declaredBy(configuration: Configuration): Promise<readonly DeclaredSchedule[]> {
  return declaredSchedules({
    plans: await Promise.all(configuration.appNames.map((app) => configuration.plan(app))),
    verification: await configuration.verification(),
    storages: configuration.storageNames,
    timezone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
  });
}
