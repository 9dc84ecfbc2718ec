/** Applies retention, storage by storage, and frees the space. */
import type { Id } from '../base/ids.ts';
import type { RetentionSettings } from '../config/settings.ts';
import { readDamage } from '../repository/meta-damage.ts';
import { readPins } from '../repository/meta-pins.ts';
import { readProofs } from '../repository/meta-proofs.ts';
import { type Removal, RemovalSet, readRemovals } from '../repository/meta-removals.ts';
import { type Prolonged, prolongLocks } from '../repository/prolong-locks.ts';
import { type PruneReport, pruneStorages } from '../repository/prune.ts';
import { inMask, type Replica } from '../repository/replicas.ts';
import type { Repository } from '../repository/repository.ts';
import { type SnapshotList, type StoredSnapshot, timeOf } from '../repository/snapshots.ts';
import { pieceKey } from '../wal/piece.ts';
import { pointsOf, tagsOf } from './points.ts';
import { lastGoodPoints, planRetention, type RetainedPoint, type RetentionDecision } from './retention.ts';
import type { Session } from './session.ts';
import { executeWalPrune, planWalPrune, type WalPrunePlan } from './wal/prune.ts';
import { readWalRemovals } from './wal/removals.ts';

/** The rules of one app. */
export interface AppRetention {
  readonly app: string;
  /** Without rules every point is kept. */
  readonly retention?: RetentionSettings;
  /** Instead of `retention`, by storage name. */
  readonly byStorage: Readonly<Record<string, RetentionSettings>>;
  /** Days begin by this zone; UTC when left out. */
  readonly timeZone?: string;
}

export interface PruneInput {
  /** Points of other apps, and snapshots of other programs, are kept. */
  readonly apps: readonly AppRetention[];
  readonly dryRun?: boolean;
  /** Bytes after which a new pack is closed. */
  readonly packSize?: number;
}

export interface PruneOutcome extends PruneReport {
  readonly dryRun: boolean;
  /** By storage with object lock: what was locked for longer. */
  readonly prolonged: ReadonlyMap<string, Prolonged>;
  /** What was decided about each point of each storage and why. */
  readonly decisions: readonly (RetentionDecision & { readonly app: string; readonly storage: string })[];
  /** Loose WAL that no kept base backup needs, by storage. */
  readonly wal: ReadonlyMap<string, WalPruned>;
}

export interface WalPruned {
  readonly pieces: number;
  /** Of the stored objects. */
  readonly bytes: number;
  /** Pieces that the storage would not remove (object lock). */
  readonly refused: number;
}

export async function prune(session: Session, { apps, dryRun = false, packSize }: PruneInput): Promise<PruneOutcome> {
  const { repository, progress, clock, supervision } = session;
  const decisions: PruneOutcome['decisions'][number][] = [];
  let walPlan: WalPrunePlan | undefined;
  const report = await pruneStorages(repository, {
    ...{ dryRun, progress },
    ...(packSize === undefined ? {} : { packSize }),
    decide: async (list, locked) => {
      const known = await readKnowledge(locked);
      const removals: Removal[] = [];
      for (const app of apps)
        for (const replica of locked.replicas) {
          const decided = decide(list, replica, app, known, clock.now());
          for (const decision of decided) decisions.push({ ...decision, app: app.app, storage: replica.name });
          removals.push(...toRemovals(decided, app.app, replica.name));
        }
      walPlan = await planWalPrune(locked, list, removals, dryRun);
      if (!dryRun) await supervision?.permit('removal');
      return [...removals, ...walPlan.folds];
    },
  });
  const wal = await pruneWal(session, walPlan, report, dryRun);
  const prolonged = dryRun ? new Map<string, Prolonged>() : await prolongAll(session, report, walPlan);
  return { ...report, dryRun, decisions, prolonged, wal };
}

/** Loose WAL goes from the storages on which the points went. */
async function pruneWal(
  { repository }: Session,
  plan: WalPrunePlan | undefined,
  { failures }: PruneReport,
  dryRun: boolean,
): Promise<Map<string, WalPruned>> {
  const pruned = new Map<string, WalPruned>();
  if (plan === undefined) return pruned;
  const isLeftAlone = (storage: string) => failures.has(storage);
  const refused = dryRun ? new Map<string, number>() : await executeWalPrune(repository, plan, isLeftAlone);
  for (const { storage, pieces, bytes } of plan.loose) {
    if (isLeftAlone(storage)) continue;
    const before = pruned.get(storage) ?? { pieces: 0, bytes: 0 };
    const sums = { pieces: before.pieces + pieces.length, bytes: before.bytes + bytes };
    pruned.set(storage, { ...sums, refused: refused.get(storage) ?? 0 });
  }
  return pruned;
}

/** What stays on storages with object lock stays locked. */
async function prolongAll(
  { repository }: Session,
  report: PruneReport,
  wal: WalPrunePlan | undefined,
): Promise<Map<string, Prolonged>> {
  const prolonged = new Map<string, Prolonged>();
  for (const replica of repository.replicas) {
    if (replica.store.lockMs === undefined || report.failures.has(replica.name)) continue;
    const refused = wal?.loose.filter(({ storage }) => storage === replica.name) ?? [];
    const going = refused.flatMap(({ pieces }) => pieces.map(({ piece }) => pieceKey(piece)));
    prolonged.set(replica.name, await prolongLocks(repository, replica, new Set(going)));
  }
  return prolonged;
}

/** What was removed so far, oldest first. */
export async function pruneHistory({ repository }: Session) {
  return readRemovals(repository);
}

/** The same of loose WAL. */
export async function walPruneHistory({ repository }: Session) {
  return readWalRemovals(repository);
}

export interface Knowledge {
  readonly pins: ReadonlySet<Id>;
  readonly proofs: Awaited<ReturnType<typeof readProofs>>;
  readonly removals: RemovalSet;
  /** Points known to be damaged, as `storage point`. */
  readonly damaged: ReadonlySet<string>;
}

export async function readKnowledge(repository: Repository): Promise<Knowledge> {
  const [pins, proofs, removals, damage] = await Promise.all([
    readPins(repository),
    readProofs(repository),
    readRemovals(repository),
    readDamage(repository),
  ]);
  const damaged = new Set(damage.flatMap(({ storage, points }) => points.map((point) => `${storage} ${point}`)));
  return { pins, proofs, removals: new RemovalSet(removals), damaged };
}

/** The points of an app on one storage, as retention looks at them. */
export function retainedPoints(
  list: SnapshotList,
  replica: Replica,
  app: string,
  { pins, proofs, damaged }: Knowledge,
): RetainedPoint[] {
  const here = pointsOf(list, app).filter(({ mask }) => inMask([replica], mask).length > 0);
  return here.map((point: StoredSnapshot) => ({
    id: point.id,
    time: timeOf(point),
    sources: tagsOf(point)?.sources ?? [],
    proof: proofs.level(point.id, [replica.name]),
    damaged: damaged.has(`${replica.name} ${point.id}`),
    pinned: pins.has(point.id),
  }));
}

function decide(
  list: SnapshotList,
  replica: Replica,
  { app, retention, byStorage, timeZone = 'UTC' }: AppRetention,
  known: Knowledge,
  now: number,
): RetentionDecision[] {
  const points = retainedPoints(list, replica, app, known);
  const lastGood = lastGoodPoints(points);
  const decisions = planRetention(points, byStorage[replica.name] ?? retention, { now, timeZone });
  return decisions.map((decision) => {
    const { point } = decision;
    const forgotten = known.removals.find(point.id, replica.name);
    // An operator's word counts on a storage that was away when it was given, too.
    const isForgotten = forgotten?.by === 'forget' && !point.pinned && !lastGood.has(point.id);
    return isForgotten ? { point, keep: false, why: forgotten.why } : decision;
  });
}

function toRemovals(decisions: readonly RetentionDecision[], app: string, storage: string): Removal[] {
  return decisions.flatMap((decision) => {
    if (decision.keep) return [];
    const { id, time } = decision.point;
    const pointTime = new Date(time).toISOString();
    return [{ point: id, storage, app, pointTime, by: 'prune', why: decision.why }];
  });
}
