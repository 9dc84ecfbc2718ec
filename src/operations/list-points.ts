/** The restore points of an app, as `holdfast points` shows them. */
import { type Id, shortId } from '../base/ids.ts';
import { readPins } from '../repository/meta-pins.ts';
import { type ProofLevel, readProofs } from '../repository/meta-proofs.ts';
import { inMask } from '../repository/replicas.ts';
import { listSnapshots, type StoredSnapshot, timeOf } from '../repository/snapshots.ts';
import { pointsOf, tagsOf } from './points.ts';
import type { Session } from './session.ts';

export interface ListPointsInput {
  readonly app: string;
  /** Only points with all of these sources. */
  readonly sources: readonly string[];
  /** Only points not older than this (milliseconds since the epoch). */
  readonly since?: number;
}

/** One point; the members are those of `points --json`. */
export interface PointSummary {
  readonly id: Id;
  readonly short_id: string;
  readonly app: string;
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly label: string | null;
  readonly sources: readonly string[];
  /** Bytes of all files in it. */
  readonly bytes: number;
  readonly proof: ProofLevel;
  readonly pinned: boolean;
  /** The storages that hold it. */
  readonly storages: readonly string[];
}

export interface PointList {
  /** Newest last. */
  readonly points: readonly PointSummary[];
  /** Point objects that no storage can give whole. */
  readonly damaged: readonly Id[];
}

export async function listPoints(session: Session, { app, sources, since }: ListPointsInput): Promise<PointList> {
  const list = await listSnapshots(session.repository);
  const wanted = pointsOf(list, app).filter((point) => {
    const has = tagsOf(point)?.sources ?? [];
    return (since === undefined || timeOf(point) >= since) && sources.every((source) => has.includes(source));
  });
  return { points: await summarise(session, wanted), damaged: list.damaged.map(({ id }) => id) };
}

/** A point of any app, and the run of the service that made it. */
export interface RunPointSummary extends PointSummary {
  readonly run: string | null;
}

/** The points of all apps in the repository, also of those that the configuration does not know. */
export async function listAllPoints(session: Session): Promise<RunPointSummary[]> {
  const points = (await listSnapshots(session.repository)).snapshots.filter((point) => tagsOf(point) !== undefined);
  const summaries = await summarise(session, points);
  return summaries.map((summary, place) => ({ ...summary, run: tagsOf(points[place]!)?.run ?? null }));
}

async function summarise({ repository }: Session, points: readonly StoredSnapshot[]): Promise<PointSummary[]> {
  const [pins, proofs] = await Promise.all([readPins(repository), readProofs(repository)]);
  return points.map((point) => {
    const storages = inMask(repository.replicas, point.mask).map(({ name }) => name);
    return { ...describePoint(point), proof: proofs.level(point.id, storages), pinned: pins.has(point.id), storages };
  });
}

function describePoint(point: StoredSnapshot): Omit<PointSummary, 'proof' | 'pinned' | 'storages'> {
  const tags = tagsOf(point);
  return {
    id: point.id,
    short_id: shortId(point.id),
    app: tags?.app ?? '',
    time: new Date(timeOf(point)).toISOString(),
    label: tags?.label ?? null,
    sources: tags?.sources ?? [],
    bytes: point.snapshot.summary?.total_bytes_processed ?? 0,
  };
}
