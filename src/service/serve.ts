/** `holdfast serve`: the API, the scheduler, the alerts and, unless told otherwise, a worker, in one process over one catalog. */
import { type Catalog, openCatalog } from '../catalog/catalog.ts';
import { createAccess, newSetupCode } from '../server/access.ts';
import { createApp, type ServerApp } from '../server/app.ts';
import { type Listening, listen } from './listen.ts';
import { runAlerts } from './run-alerts.ts';
import { runScheduler } from './run-scheduler.ts';
import { runWorker } from './run-worker.ts';
import type { ServiceWorld } from './world.ts';

export interface ServeOptions {
  /** Carry runs out in this process, too. */
  readonly worker: boolean;
  /** Called once requests are answered. `setupCode`: for the first administrator, while there is none. */
  onReady(ready: { readonly url: string; readonly setupCode: string | undefined }): Promise<void>;
}

/** ms that requests under way have once the service is to stop. */
const CLOSE_MS = 10_000;

export async function serve(world: ServiceWorld, { worker, onReady }: ServeOptions): Promise<void> {
  const { clock, configuration, log, signal } = world;
  const place = await configuration.current.catalog();
  await using catalog = await openCatalog(place);
  await using app = await application(world, catalog, 'path' in place ? `${place.path}.key` : undefined);
  const settings = await configuration.current.server();
  const listening: Listening = await listen((request, bindings) => app.fetch(request, bindings), settings, world);
  const working = worker ? [runWorker(world, catalog, { role: 'serve' })] : [];
  const parts = [runScheduler(world, catalog), runAlerts(world, catalog), ...working];
  await onReady({ url: listening.url, setupCode: await newSetupCode(catalog, clock.now()) });
  log.info('Ready.', { url: listening.url });
  await stopped(signal);
  log.info('Stopping: requests and runs under way may end.');
  await Promise.all([listening.close(CLOSE_MS), ...parts]);
  log.info('Stopped.');
}

async function application(world: ServiceWorld, catalog: Catalog, keyFile: string | undefined): Promise<ServerApp> {
  const { clock, configuration, log, build, env, signal } = world;
  let settings = await configuration.current.server();
  configuration.onChange((now) => {
    now.server().then(
      (fresh) => {
        settings = fresh;
      },
      (error: unknown) => log.error('The settings of the server cannot be read; those before stay.', { error }),
    );
  });
  const config = () => configuration.current;
  const access = createAccess({ catalog, clock, config, settings: () => settings, keyFile });
  return createApp({ catalog, clock, config, build, env, signal, log, access });
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
