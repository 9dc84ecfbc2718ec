/** Folds the old loose WAL of an app into snapshots that restic reads. Done by hand, by `prune`, and by the stream from time to time. */
import type { Failure } from '../base/failure.ts';
import type { Configuration } from '../config/configuration.ts';
import type { PackingSettings } from '../config/settings.ts';
import { foldWal } from '../wal/fold.ts';
import { bestEffort } from './best-effort.ts';
import { thisProcess } from './holder.ts';
import type { Session } from './session.ts';
import { appClusters } from './wal/app-clusters.ts';
import { archivedSources } from './wal-sources.ts';

export interface WalFoldInput {
  readonly app: string;
  /** Milliseconds; undefined: every complete segment, however new. */
  readonly foldAfter: number | undefined;
  readonly packing: PackingSettings;
  readonly programVersion: string;
  /** Only this cluster; all of the app when left out. */
  readonly systemIdentifier?: string;
}

export interface WalFoldOutcome {
  readonly snapshots: readonly string[];
  readonly segments: number;
  /** Loose pieces that went, over all storages. */
  readonly removed: number;
  /** Storages that could not take part to the end; their pieces stay. */
  readonly failures: ReadonlyMap<string, Failure>;
}

export async function walFold(session: Session, input: WalFoldInput): Promise<WalFoldOutcome> {
  const { repository, clock, signal, progress } = session;
  const { app, foldAfter, packing, programVersion, systemIdentifier } = input;
  const clusters = systemIdentifier === undefined ? await appClusters(repository, app) : [systemIdentifier];
  const { compression, packSize } = packing;
  const total = { snapshots: [] as string[], segments: 0, removed: 0, failures: new Map<string, Failure>() };
  for (const cluster of clusters) {
    const outcome = await foldWal({
      ...{ repository, app, foldAfter, programVersion, clock, signal, progress, systemIdentifier: cluster },
      seal: { packSize, compression: compression === 'max' ? 19 : compression },
      machine: thisProcess(),
    });
    total.snapshots.push(...outcome.snapshots);
    total.segments += outcome.segments;
    total.removed += outcome.removed;
    for (const [name, failure] of outcome.failures) total.failures.set(name, failure);
  }
  return total;
}

/** What `prune` does of it: every app, by the settings of its sources. An app whose settings cannot be had is left for the next time. */
export async function foldApps(
  session: Session,
  config: Configuration,
  apps: readonly string[],
  programVersion: string,
): Promise<number> {
  let segments = 0;
  for (const app of apps)
    await bestEffort(session, `WAL of ${app} was not folded`, async () => {
      const sources = await archivedSources(config, app);
      if (sources.length === 0) return;
      const foldAfter = Math.max(...sources.map(({ wal }) => wal.foldAfter));
      const outcome = await walFold(session, { app, foldAfter, packing: await config.packing(), programVersion });
      segments += outcome.segments;
      for (const { message } of outcome.failures.values()) session.progress({ type: 'warning', message });
    });
  return segments;
}
