/** Which state of the database is meant: a point or a moment. */
import type { MomentTarget } from '../recovery/moment.ts';
import { listSnapshots, pickSnapshot } from '../repository/snapshots.ts';
import { pointsOf } from './points.ts';
import type { Session } from './session.ts';

export interface StateAsked {
  /** First digits of a point's id, or a moment. */
  readonly what: { readonly point: string } | { readonly target: Exclude<MomentTarget, { kind: 'point' }> };
  /** As it is told. */
  readonly shown: string;
}

export async function sandboxTarget({ repository }: Session, app: string, { what }: StateAsked): Promise<MomentTarget> {
  if ('target' in what) return what.target;
  return { kind: 'point', point: pickSnapshot(pointsOf(await listSnapshots(repository), app), what.point).id };
}
