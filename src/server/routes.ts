/** Every route of the server itself; what others bring is registered after these. */
import type { Api } from './api.ts';
import { registerMetrics } from './metrics/route.ts';
import { Reads } from './reads.ts';
import { registerAlerts } from './routes/alerts.ts';
import { registerBackup } from './routes/backup.ts';
import { registerContent } from './routes/content.ts';
import { registerDocs } from './routes/docs.ts';
import { registerEvents } from './routes/events.ts';
import { registerExchange } from './routes/exchange.ts';
import { registerHealth } from './routes/health.ts';
import { registerPoints } from './routes/points.ts';
import { registerProofs } from './routes/proofs.ts';
import { registerRuns } from './routes/runs.ts';
import { registerSandboxes } from './routes/sandboxes.ts';
import { registerSchedules } from './routes/schedules.ts';
import { registerSystem } from './routes/system.ts';
import { registerWal } from './routes/wal.ts';

/** What it answers closes what was opened for requests. */
export function registerRoutes(api: Api): AsyncDisposable {
  const { config, clock } = api.deps;
  const reads = new Reads(config, clock, api.limits.reads);
  const downloads = new Reads(config, clock, api.limits.downloads);
  registerRuns(api);
  registerPoints(api, reads);
  registerContent(api, reads, downloads);
  registerProofs(api, reads);
  registerWal(api, reads);
  registerSystem(api, reads);
  registerSchedules(api);
  registerAlerts(api);
  registerMetrics(api);
  registerEvents(api);
  registerBackup(api, reads, downloads);
  registerExchange(api, downloads);
  registerSandboxes(api);
  registerHealth(api);
  registerDocs(api);
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all([reads, downloads].map((each) => each[Symbol.asyncDispose]()));
    },
  };
}
