/**
 * Any moment: from what was asked for to a plan, proved before anything is written. A plan names the newest base that ends before the moment,
 * the log from there, all of it in the archive, and the record at which recovery stops.
 */
import type { Id } from '../base/ids.ts';
import type { Lsn } from '../postgres/lsn.ts';
import type { IndexedRepository } from '../repository/indexed-repository.ts';
import type { StoredSnapshot } from '../repository/snapshots.ts';
import type { WalArchive, WalInventory } from '../wal/archive.ts';
import type { Histories } from '../wal/timelines.ts';
import type { Base } from './moment/bases.ts';
import type { LogLine, LogPart } from './moment/line.ts';
import { MomentPlanner } from './moment/planner.ts';
import type { RecoveryWorld } from './world.ts';

export type { Base } from './moment/bases.ts';
export { pointsOfApp } from './moment/bases.ts';

/**
 * What is asked for. `time` (microseconds since the Unix epoch): with every transaction that committed up to then. `lsn`: with every record that
 * ends there or before. `xid`, `name`: with that transaction, up to that restore point. `immediate`: as soon as the newest base is consistent.
 * `latest`: all that is archived. `point`: a point as it is, without the archive's log.
 */
export type MomentTarget =
  | { readonly kind: 'time'; readonly time: bigint }
  | { readonly kind: 'lsn'; readonly lsn: Lsn }
  | { readonly kind: 'xid'; readonly xid: number }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'immediate' }
  | { readonly kind: 'latest' }
  | { readonly kind: 'point'; readonly point: Id };

export interface MomentRequest {
  readonly target: Exclude<MomentTarget, { kind: 'point' }>;
  readonly app: string;
  /** The database; may be left out where the app has one. */
  readonly source?: string;
  /** Along the path that ends here. Default: the newest timeline. */
  readonly timeline?: number;
}

/** Where recovery stops: once consistent, or at the first record that begins at `lsn` or later, with it or without it. */
export type RecoveryStop =
  | { readonly kind: 'immediate' }
  | { readonly kind: 'lsn'; readonly lsn: Lsn; readonly inclusive: boolean };

export interface MomentPlan {
  readonly target: MomentRequest['target'];
  readonly base: Base;
  readonly stop: RecoveryStop;
  /** The end of the last record that is applied; for `immediate` the least that is. */
  readonly reached: Lsn;
  /** When that was, µs since the Unix epoch; undefined where nothing tells (the newest moment is now). */
  readonly time: bigint | undefined;
  /** The timeline on which recovery stops. */
  readonly timeline: number;
  readonly log: PlannedLog;
}

/** The log that recovery is given. */
export interface PlannedLog {
  readonly archive: WalArchive;
  readonly inventory: WalInventory;
  readonly histories: Histories;
  readonly line: LogLine;
  /** In the order of the log, from the start of a segment, without a hole; empty where the base has all that is needed. */
  readonly parts: readonly LogPart[];
}

/** Throws `moment_unreachable` with the nearest moments that can be restored, and why this one cannot. */
export function planMoment(
  world: RecoveryWorld,
  indexed: IndexedRepository,
  snapshots: readonly StoredSnapshot[],
  request: MomentRequest,
): Promise<MomentPlan> {
  return new MomentPlanner(world, indexed, snapshots, request).plan();
}

/** Restartpoints keep the log that lies on the disk during a recovery within this. */
const LOG_ROOM = 2 * 1024 ** 3;
/** Log that lies ready to be replayed. */
const AHEAD = 256 * 1024 ** 2;

/** Bytes that a recovery may need beside the copy. */
export function logRoom({ log: { parts, line } }: MomentPlan): number {
  const bytes = parts.reduce((sum, { start, end }) => sum + Number(end - start), 0);
  return Math.min(bytes, LOG_ROOM) + AHEAD + 4 * line.segmentSize;
}
