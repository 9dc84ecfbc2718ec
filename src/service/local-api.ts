/** The API without a server: the same routes, answered in this process from the catalog that the configuration names, for commands on the machine itself. */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { openCatalog } from '../catalog/catalog.ts';
import type { Configuration } from '../config/configuration.ts';
import { createMachineAccess } from '../server/access.ts';
import { createApp } from '../server/app.ts';
import { cliActor } from './cli-actor.ts';

export interface LocalApi extends AsyncDisposable {
  fetch(request: Request): Promise<Response>;
}

export interface LocalWorld {
  readonly clock: Clock;
  readonly build: { readonly version: string; readonly node: string; readonly platform: string };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Hears what an answer does not tell. */
  readonly log: Log;
}

/**
 * Whoever can read the configuration and its catalog is an administrator here, and stands in the audit log as whoever runs the command. A
 * service that runs over the same catalog sees what is done, and carries it out. Throws `catalog_failed`, `secret_unavailable`.
 */
export async function openLocalApi(config: Configuration, world: LocalWorld): Promise<LocalApi> {
  const { clock, build, env, log } = world;
  const settings = await config.server();
  const catalog = await openCatalog(await config.catalog());
  const stop = new AbortController();
  const deps = { catalog, clock, config: () => config };
  const access = createMachineAccess({ ...deps, settings: () => settings }, cliActor());
  const app = createApp({ ...deps, build, env, log, access, signal: stop.signal });
  return {
    fetch: (request) => app.fetch(request),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await app[Symbol.asyncDispose]();
      await catalog[Symbol.asyncDispose]();
    },
  };
}
