/** The part that watches and tells people; any number of processes may run it, one at a time does the work. */
import { randomInt } from 'node:crypto';
import { AlertEngine, type AlertEngineDeps, type KnownApp } from '../alerts/engine.ts';
import { newId } from '../base/ids.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Configuration } from '../config/configuration.ts';
import type { ServiceWorld } from './world.ts';

export async function runAlerts(world: ServiceWorld, catalog: Catalog): Promise<void> {
  await new AlertEngine(alertDeps(world, catalog)).run(world.signal);
}

function alertDeps(world: ServiceWorld, catalog: Catalog): AlertEngineDeps {
  const { clock, configuration, hostname, log } = world;
  const known = new KnownConfiguration();
  return {
    ...{ catalog, clock, holder: newId(clock.now()), source: hostname },
    policy: async () => (await known.of(configuration.current)).policy,
    channel: (name) => configuration.current.channel(name),
    deadMan: async () => (await known.of(configuration.current)).deadMan,
    apps: async () => (await known.of(configuration.current)).apps,
    storages: () => configuration.current.storageNames,
    baseUrl: async () => (await known.of(configuration.current)).url,
    random: () => randomInt(2 ** 32) / 2 ** 32,
    onProblem: (message, error) => log.error(`${message}.`, { error }),
  };
}

interface Known {
  readonly policy: Awaited<ReturnType<Configuration['alerts']>>;
  readonly deadMan: Awaited<ReturnType<Configuration['deadMan']>>;
  readonly apps: readonly KnownApp[];
  readonly url: string | undefined;
}

/** What is asked for every second is worked out once for each configuration: a value may be what a program prints. */
class KnownConfiguration {
  readonly #known = new WeakMap<Configuration, Promise<Known>>();

  of(configuration: Configuration): Promise<Known> {
    const known = this.#known.get(configuration) ?? resolve(configuration);
    this.#known.set(configuration, known);
    known.catch(() => this.#known.delete(configuration)); // a secret that is absent now may be there later
    return known;
  }
}

async function resolve(configuration: Configuration): Promise<Known> {
  const apps = configuration.appNames.map((name) => configuration.app(name));
  return {
    policy: await configuration.alerts(),
    deadMan: await configuration.deadMan(),
    apps: (await Promise.all(apps)).map(({ name, objectives }) => ({ app: name, objectives })),
    url: (await configuration.server()).url,
  };
}
