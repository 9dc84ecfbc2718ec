/** The WAL archive, from the repository and the live servers. */
import * as endpoints from '../../api/wal.ts';
import { DEFAULT_MIN_ROWS, walEvents } from '../../operations/wal-events.ts';
import { archivedSources } from '../../operations/wal-sources.ts';
import { walStatus } from '../../operations/wal-status.ts';
import type { Api } from '../api.ts';
import { meantApp } from '../ask-run.ts';
import type { Reads } from '../reads.ts';
import { milliseconds } from '../views/times.ts';

export function registerWal(api: Api, reads: Reads): void {
  api.route(endpoints.getWalStatus, async ({ query, signal }) => {
    const app = meantApp(api, query.app);
    const sources = await archivedSources(api.deps.config(), app, query.source);
    const report = await reads.use(signal, (session) => walStatus(session, { app, sources }));
    return { body: { app, sources: report.sources.map((each) => ({ ...each, loss: { ...each.loss } })) } };
  });

  api.route(endpoints.listWalEvents, async ({ query, signal }) => {
    const app = meantApp(api, query.app);
    const sources = await archivedSources(api.deps.config(), app);
    const { events, truncated } = await reads.use(signal, (session) =>
      walEvents(session, {
        ...{ app, sources, minRows: query.min_rows ?? DEFAULT_MIN_ROWS },
        ...{ since: milliseconds(query.since), until: milliseconds(query.until) },
      }),
    );
    return { body: { app, events: events.map((event) => ({ ...event })), truncated } };
  });
}
