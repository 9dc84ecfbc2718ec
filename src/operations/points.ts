/** Restore points as the snapshots' tags tell them. */
import { given } from '../base/given.ts';
import type { SnapshotList, StoredSnapshot } from '../repository/snapshots.ts';

/** Points made by this program carry this tag; other snapshots in the repository are nobody's business but their maker's. */
const POINT_TAG = 'holdfast';

export interface PointTags {
  readonly app: string;
  readonly sources: readonly string[];
  readonly label?: string;
  /** The run of the service that made it. */
  readonly run?: string;
}

/** What the tags say, or undefined for a snapshot that is no restore point. */
export function tagsOf({ snapshot }: StoredSnapshot): PointTags | undefined {
  const tags = snapshot.tags ?? [];
  if (!tags.includes(POINT_TAG)) return undefined;
  const values = (name: string): string[] =>
    tags.filter((tag) => tag.startsWith(`${name}=`)).map((tag) => tag.slice(name.length + 1));
  const [app] = values('app');
  if (app === undefined) return undefined;
  const [label] = values('label');
  const [run] = values('run');
  return { app, sources: values('source'), ...given('label', label), ...given('run', run) };
}

/** The points of one app, oldest first. */
export function pointsOf({ snapshots }: SnapshotList, app: string): StoredSnapshot[] {
  return snapshots.filter((stored) => tagsOf(stored)?.app === app);
}
