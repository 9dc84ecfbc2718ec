/** Collects what the doctor looks at; what cannot be had, a secret for example, is handed on as it failed. */
import type { Configuration } from '../../config/configuration.ts';
import { openStore } from '../../storage/open.ts';
import { thisProcess } from '../holder.ts';
import type { SessionWorld } from '../open-session.ts';
import type { DoctorInput, Reachable } from './input.ts';

export interface SetupWorld extends SessionWorld {
  /** Directories in which programs are looked for. */
  readonly path: readonly string[];
  /** Only the sources of this app. */
  readonly app?: string;
}

export async function gatherSetup(config: Configuration, world: SetupWorld): Promise<DoctorInput> {
  return {
    stores: await Promise.all(config.storageNames.map((name) => reach(name, () => open(config, name, world)))),
    password: await reach('password', () => config.password()),
    sources: await gatherSources(config, world.app),
    remarks: config.remarks,
    holder: thisProcess(),
    programs: { directories: (await config.postgres()).programs, path: world.path.join(':') },
    ...world,
  };
}

async function open(config: Configuration, name: string, { clock }: SetupWorld) {
  const settings = await config.storage(name);
  return {
    store: openStore(settings, { clock }),
    objectLock: settings.type === 's3' && settings.objectLock !== undefined,
    ...(settings.type === 'local' ? { localPath: settings.path } : {}),
  };
}

async function gatherSources(config: Configuration, app: string | undefined): Promise<DoctorInput['sources']> {
  const apps = app === undefined ? config.appNames : [config.appName(app)];
  const all = apps.flatMap((name) => config.sourceTypes(name).map((source) => ({ app: name, name: source.name })));
  return Promise.all(
    all.map(async (source) => ({
      ...(await reach(source.name, () => config.source(source.app, source.name))),
      app: source.app,
      queried: config.checked.values.apps[source.app]?.references.length !== 0,
    })),
  );
}

async function reach<T>(name: string, get: () => Promise<T>): Promise<Reachable<T>> {
  try {
    return { name, value: await get() };
  } catch (error) {
    return { name, error };
  }
}
