/** The catalog's list of points made again from what the storages hold. */
import { given } from '../base/given.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { type CatalogPoint, keepPointsOf, replacePoints } from '../catalog/points.ts';
import { listAllPoints, type RunPointSummary } from '../operations/list-points.ts';
import type { Session } from '../operations/session.ts';

export interface RebuildReport {
  readonly apps: number;
  readonly points: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

/** Refuses to forget points when no storage could be read: then nothing was learnt, and `openSession` has thrown. */
export async function rebuildPoints(catalog: Catalog, session: Session): Promise<RebuildReport> {
  const byApp = Map.groupBy(await listAllPoints(session), ({ app }) => app);
  const now = session.clock.now();
  const report = { apps: byApp.size, points: 0, added: 0, changed: 0, removed: 0 };
  for (const [app, summaries] of byApp) {
    session.signal.throwIfAborted();
    const changes = await replacePoints(catalog.db, app, summaries.map(toCatalogPoint), now);
    report.points += summaries.length;
    report.added += changes.added;
    report.changed += changes.changed;
    report.removed += changes.removed;
  }
  report.removed += await keepPointsOf(catalog.db, [...byApp.keys()], now);
  return report;
}

function toCatalogPoint(summary: RunPointSummary): CatalogPoint {
  const { id, app, time, label, bytes, proof, pinned, sources, storages, run } = summary;
  return {
    ...{ id, app, time: Date.parse(time), bytes, proof, pinned, sources, storages },
    ...given('label', label ?? undefined),
    ...given('runId', run ?? undefined),
  };
}
