/** What the engine asks of the configuration, computed once for each reading of the file. */
import type { AlertPolicy, DeadManSettings } from '../config/alert-settings.ts';
import type { Configuration } from '../config/configuration.ts';
import type { AlertEngineDeps, KnownApp } from './engine.ts';

type FromConfiguration = Pick<AlertEngineDeps, 'policy' | 'channel' | 'deadMan' | 'apps' | 'storages' | 'baseUrl'>;

interface Known {
  readonly policy: Promise<AlertPolicy>;
  readonly apps: Promise<readonly KnownApp[]>;
  readonly deadMan: Promise<DeadManSettings | undefined>;
  readonly baseUrl: Promise<string | undefined>;
}

/** `current`: the configuration of now, another object after it was read again. What could not be fetched is tried again the next time. */
export function alertSources(current: () => Configuration): FromConfiguration {
  const known = new WeakMap<Configuration, Partial<Known>>();
  const once = <K extends keyof Known>(key: K, make: (from: Configuration) => Known[K]): Known[K] => {
    const configuration = current();
    const found = known.get(configuration)?.[key];
    if (found !== undefined) return found as Known[K];
    const made = make(configuration);
    known.set(configuration, { ...known.get(configuration), [key]: made });
    made.catch(() => known.set(configuration, without(known.get(configuration), key)));
    return made;
  };
  return {
    policy: () => once('policy', (from) => from.alerts()),
    deadMan: () => once('deadMan', (from) => from.deadMan()),
    apps: () => once('apps', knownApps),
    baseUrl: () => once('baseUrl', async (from) => (await from.server()).url),
    channel: (name) => current().channel(name), // a secret that was changed is used from the next message on
    storages: () => current().storageNames,
  };
}

async function knownApps(configuration: Configuration): Promise<readonly KnownApp[]> {
  return await Promise.all(
    configuration.appNames.map(async (app) => ({ app, objectives: (await configuration.app(app)).objectives })),
  );
}

function without<K extends keyof Known>(known: Partial<Known> | undefined, key: K): Partial<Known> {
  const { [key]: _failed, ...rest } = known ?? {};
  return rest as Partial<Known>;
}
