/** Pinned points stay, whatever retention says. */
import type { Id } from '../base/ids.ts';
import { setPin } from '../repository/meta-pins.ts';
import { listSnapshots, pickSnapshot } from '../repository/snapshots.ts';
import { pointsOf } from './points.ts';
import type { Session } from './session.ts';

export interface PinOutcome {
  readonly point: Id;
  readonly pinned: boolean;
  /** False when it was so before. */
  readonly changed: boolean;
}

/** `prefix`: an id, its first digits, or `latest`. */
export async function pinPoint(
  { repository }: Session,
  app: string,
  prefix: string,
  pinned: boolean,
): Promise<PinOutcome> {
  const { id } = pickSnapshot(pointsOf(await listSnapshots(repository), app), prefix);
  return { point: id, pinned, changed: await setPin(repository, id, pinned) };
}
