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

export async function listPoints(
  { repository }: Session,
  { app, sources, since }: ListPointsInput,
): Promise<PointList> {
  const list = await listSnapshots(repository);
  const [pins, proofs] = await Promise.all([readPins(repository), readProofs(repository)]);
  const wanted = pointsOf(list, app).filter((point) => {
    const has = tagsOf(point)?.sources ?? [];
    return (since === undefined || timeOf(point) >= since) && sources.every((source) => has.includes(source));
  });
  const points = wanted.map((point) => {
    const storages = inMask(repository.replicas, point.mask).map(({ name }) => name);
    return { ...describePoint(point), proof: proofs.level(point.id, storages), pinned: pins.has(point.id), storages };
  });
  return { points, damaged: list.damaged.map(({ id }) => id) };
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
