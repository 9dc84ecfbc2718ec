/** Removes one point on an operator's word, from all storages or from one. */
import { Failure } from '../base/failure.ts';
import { type Id, shortId } from '../base/ids.ts';
import { assertKnown } from '../repository/check.ts';
import { forgetOnStorages } from '../repository/forget.ts';
import type { Removal } from '../repository/meta-removals.ts';
import { inMask } from '../repository/replicas.ts';
import { listSnapshots, pickSnapshot, type SnapshotList, type StoredSnapshot } from '../repository/snapshots.ts';
import { pointsOf } from './points.ts';
import { type Knowledge, readKnowledge, retainedPoints } from './prune.ts';
import type { Session } from './session.ts';

export interface ForgetInput {
  readonly app: string;
  /** An id, its first digits, or `latest`. */
  readonly point: string;
  /** One storage; all when left out, those included that cannot be reached now: the next prune catches up there. */
  readonly storage?: string;
}

export interface ForgetOutcome {
  readonly point: Id;
  /** The storages it was removed from. */
  readonly storages: readonly string[];
  /** Storages it could not be removed from yet. */
  readonly failures: ReadonlyMap<string, Failure>;
}

/** Throws `point_pinned`, and `last_good_point` when a storage would be left without a good point of these sources. */
export async function forget(
  { repository, supervision }: Session,
  { app, point, storage }: ForgetInput,
): Promise<ForgetOutcome> {
  if (storage !== undefined) assertKnown(repository, [storage]);
  const list = await listSnapshots(repository);
  const chosen = pickSnapshot(pointsOf(list, app), point);
  const known = await readKnowledge(repository);
  if (known.pins.has(chosen.id)) throw pinned(chosen.id);
  const names = [...repository.replicas, ...repository.lost].map(({ name }) => name);
  const targets = names.filter((name) => storage === undefined || name === storage);
  for (const replica of inMask(repository.replicas, chosen.mask))
    if (targets.includes(replica.name)) refuseLastGood(list, replica, app, chosen, known);
  const removals = targets.map(
    (name): Removal => ({
      ...{ point: chosen.id, storage: name, app, pointTime: chosen.snapshot.time, by: 'forget' },
      why: storage === undefined ? 'forgotten on request' : 'forgotten on request, on this storage',
    }),
  );
  await supervision?.permit('removal');
  const { removed, failures } = await forgetOnStorages(repository, removals);
  return { point: chosen.id, storages: removed.map(({ storage: name }) => name), failures };
}

function refuseLastGood(
  list: SnapshotList,
  replica: Parameters<typeof retainedPoints>[1],
  app: string,
  { id }: StoredSnapshot,
  known: Knowledge,
): void {
  const points = retainedPoints(list, replica, app, known);
  const point = points.find((each) => each.id === id);
  if (point === undefined || point.damaged) return;
  const others = points.filter((other) => other.id !== id && !other.damaged);
  if (others.some((other) => point.sources.every((source) => other.sources.includes(source)))) return;
  throw new Failure('last_good_point', `${shortId(id)} is the last good point of ${app} on ${replica.name}.`, {
    hint: 'Make another with "holdfast backup" first; "holdfast sync" brings points of other storages here.',
  });
}

function pinned(id: Id): Failure {
  return new Failure('point_pinned', `${shortId(id)} is pinned.`, {
    hint: `Run "holdfast unpin ${shortId(id)}" first.`,
  });
}
