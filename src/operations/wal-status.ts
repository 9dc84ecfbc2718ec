/**
 * How the WAL archive stands: which moments can be restored, what is missing and why, how far each storage is, and what would be lost if the
 * server died now.
 */
import { isFailure } from '../base/failure.ts';
import type { PostgresSourceSettings } from '../config/settings.ts';
import { listSnapshots, type StoredSnapshot } from '../repository/snapshots.ts';
import { WalArchive } from '../wal/archive.ts';
import { readGaps } from '../wal/gaps.ts';
import { isFresh, readStreamState } from '../wal/stream-state.ts';
import { pointsOf } from './points.ts';
import type { Session } from './session.ts';
import { type Base, readBases } from './wal/bases.ts';
import { knownCluster } from './wal/clusters.ts';
import { describeSource } from './wal/describe.ts';
import type { SourceWalStatus } from './wal/report.ts';
import { askServerLog } from './wal/server.ts';
import { gapsOf, windowsOf } from './wal/windows.ts';

export type { SourceWalStatus } from './wal/report.ts';

export interface WalStatusInput {
  readonly app: string;
  /** Those whose WAL is archived; see `archivedSources`. */
  readonly sources: readonly PostgresSourceSettings[];
  /** False: the live servers are not asked. */
  readonly askServers?: boolean;
  /** The points of the app, where they are at hand. */
  readonly points?: readonly StoredSnapshot[];
}

/** The members are those of `wal status --json`. */
export interface WalStatusReport {
  readonly app: string;
  readonly sources: readonly SourceWalStatus[];
}

export async function walStatus(session: Session, input: WalStatusInput): Promise<WalStatusReport> {
  const { app, sources } = input;
  const { repository } = session;
  const points = input.points ?? pointsOf(await listSnapshots(repository), app);
  const { bases } = await readBases(repository, points);
  return { app, sources: await Promise.all(sources.map((source) => statusOf(session, input, source, bases))) };
}

async function statusOf(
  { repository, clock, signal }: Session,
  { app, askServers = true }: WalStatusInput,
  source: PostgresSourceSettings,
  all: readonly Base[],
): Promise<SourceWalStatus> {
  const state = source.wal.mode === 'stream' ? await readStreamState(source.wal.spool) : undefined;
  const server = askServers ? await askServerLog(app, source, signal) : undefined;
  const own = all.filter((base) => base.source === source.name);
  const told = (isFailure(server) ? undefined : server?.systemIdentifier) ?? state?.systemIdentifier;
  const cluster =
    told ?? own.at(-1)?.systemIdentifier ?? (await knownCluster(repository, { app, source })) ?? NO_CLUSTER;
  const archive = new WalArchive(repository, cluster);
  const inventory = await archive.list();
  const histories = await archive.histories(inventory);
  const bases = own.filter(({ systemIdentifier }) => systemIdentifier === cluster);
  return describeSource({
    ...{ source, cluster: cluster === NO_CLUSTER ? null : cluster, server, inventory, histories },
    windows: windowsOf(bases, inventory, histories),
    gaps: gapsOf(inventory, await readGaps(repository, cluster), bases),
    stream: state === undefined ? null : { ...state, alive: isFresh(state, clock) },
    replicas: repository.replicas.filter(({ name }) => !inventory.silent.has(name)),
    now: clock.now(),
  });
}

/** Nothing is archived under it. */
const NO_CLUSTER = '0';
