/** Are we safe? What would be lost if the original were gone now, how long it would take to come back, and what is wrong. */
import { shortId } from '../base/ids.ts';
import type { AppSettings, PostgresSourceSettings } from '../config/settings.ts';
import { readDamage } from '../repository/meta-damage.ts';
import { type ProofLevel, readProofs } from '../repository/meta-proofs.ts';
import { RemovalSet, readRemovals } from '../repository/meta-removals.ts';
import { inMask } from '../repository/replicas.ts';
import { listSnapshots, type StoredSnapshot, timeOf } from '../repository/snapshots.ts';
import { pointsOf } from './points.ts';
import { listProofs } from './proofs.ts';
import type { ProofReport } from './prove/report.ts';
import type { Session } from './session.ts';
import { exposures, type SourceName } from './status/exposure.ts';
import { type Exposure, judgeObjectives, type ObjectiveState } from './status/objectives.ts';
import { type StatusProblem, statusProblems } from './status/problems.ts';
import { type StorageStatus, storageStatuses } from './status/storages.ts';
import { type SourceWalStatus, walStatus } from './wal-status.ts';

export interface StatusInput {
  readonly app: AppSettings;
  readonly sources: readonly SourceName[];
  readonly requiredCopies: number;
  /** The databases whose WAL is archived. */
  readonly archived: readonly PostgresSourceSettings[];
}

export interface NewestPoint {
  readonly id: string;
  readonly short_id: string;
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly age_s: number;
  readonly proof: ProofLevel;
  readonly storages: readonly string[];
}

export interface LastProof {
  readonly id: string;
  readonly time: string;
  readonly age_s: number;
  readonly outcome: string;
  readonly storage: string | null;
  readonly rto_seconds: number | null;
}

/** The members are those of `status --json`. */
export interface StatusReport {
  readonly app: string;
  readonly time: string;
  /** `broken`: an objective is · `attention`: something else is wrong · `safe`. */
  readonly outcome: 'safe' | 'attention' | 'broken';
  readonly objectives: readonly ObjectiveState[];
  readonly exposure: readonly Exposure[];
  readonly points: number;
  readonly newest: NewestPoint | null;
  readonly storages: readonly StorageStatus[];
  readonly last_proof: LastProof | null;
  readonly wal: readonly SourceWalStatus[];
  readonly problems: readonly StatusProblem[];
}

export async function status(session: Session, input: StatusInput): Promise<StatusReport> {
  const { repository, clock } = session;
  const now = clock.now();
  const list = await listSnapshots(repository);
  const points = pointsOf(list, input.app.name);
  const [proofs, damage, removals, reports, { sources: wal }] = await Promise.all([
    readProofs(repository),
    readDamage(repository),
    readRemovals(repository),
    listProofs(session, input.app.name),
    walStatus(session, { app: input.app.name, sources: input.archived, points }),
  ]);
  const newest = newestPoint(points.at(-1));
  const storages = storageStatuses(
    repository,
    points,
    new Set(damage.map(({ storage }) => storage)),
    new RemovalSet(removals),
  );
  const exposure = exposures(input.sources, points, new Map(wal.map(({ source, loss }) => [source, loss])), now);
  const lastProof = reports.at(-1);
  const measured = reports.findLast((report) => measuresWayBack(report, input.app));
  const objectives = judgeObjectives({
    ...{ rpo: input.app.objectives.rpo, rto: input.app.objectives.rto, exposures: exposure },
    measured: measured && { seconds: measured.rto_seconds!, time: measured.time },
    copies: newest && { required: input.requiredCopies, held: newest.storages.length },
  });
  const last = lastProof && {
    ...{ id: lastProof.id, time: lastProof.time, age_s: ageOf(Date.parse(lastProof.time)) },
    ...{ outcome: lastProof.outcome, storage: lastProof.storage, rto_seconds: lastProof.rto_seconds },
  };
  const problems = statusProblems({
    ...{ points: points.length, storages, damage, wal, objectives },
    damagedPoints: list.damaged.length,
    lastProof: last,
  });
  return {
    ...{ app: input.app.name, time: new Date(now).toISOString(), outcome: outcomeOf(objectives, problems) },
    ...{ objectives, exposure, points: points.length, newest: newest ?? null, storages },
    ...{ last_proof: last ?? null, wal, problems },
  };

  function ageOf(time: number): number {
    return Math.max(0, now - time) / 1000;
  }

  function newestPoint(point: StoredSnapshot | undefined): NewestPoint | undefined {
    if (point === undefined) return undefined;
    const holders = inMask(repository.replicas, point.mask).map(({ name }) => name);
    const time = timeOf(point);
    return {
      ...{ id: point.id, short_id: shortId(point.id), time: new Date(time).toISOString(), age_s: ageOf(time) },
      ...{ proof: proofs.level(point.id, holders), storages: holders },
    };
  }
}

/** A proof of files alone is no measure of the way back of an app that has a database. */
function measuresWayBack({ outcome, rto_seconds: rto, versions }: ProofReport, { databases }: AppSettings): boolean {
  return outcome === 'passed' && rto !== null && databases.every(({ name }) => Object.hasOwn(versions.postgres, name));
}

function outcomeOf(objectives: readonly ObjectiveState[], problems: readonly StatusProblem[]): StatusReport['outcome'] {
  if (objectives.some(({ state }) => state === 'broken')) return 'broken';
  return problems.length > 0 ? 'attention' : 'safe';
}
