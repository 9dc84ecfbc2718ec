/** Restores a point, or part of one, into a new directory. */

import { Failure } from '../base/failure.ts';
import { type Id, shortId } from '../base/ids.ts';
import { defaultOwnership, parseOwner } from '../recovery/owner.ts';
import { type PlanProblem, planRestore, type RestorePlan } from '../recovery/plan.ts';
import type { OpenedPoint } from '../recovery/point.ts';
import { type FileProblem, type RestoredFiles, restoreFiles } from '../recovery/restore-files.ts';
import { abandonTarget, checkRoom, finishTarget, inspectTarget, prepareTarget } from '../recovery/target.ts';
import type { IndexedRepository } from '../repository/indexed-repository.ts';
import type { Ownership } from '../repository/restore-metadata.ts';
import { findPoints } from './restore/find-point.ts';
import { ReadProblems, type StorageProblems } from './restore/read-problems.ts';
import { lockForReading } from './restore/shared-lock.ts';
import type { Session } from './session.ts';

export interface RestoreInput {
  /** The app whose point `latest` is; undefined: any snapshot of the repository. */
  readonly app: string | undefined;
  /** First digits of a point's id, or `latest`. */
  readonly point: string;
  /** Absolute. */
  readonly target: string;
  readonly sources: readonly string[];
  readonly paths: readonly string[];
  /** Read from this storage only. */
  readonly storage?: string;
  readonly ownership: Ownership;
  readonly dryRun: boolean;
  readonly reason?: string;
  readonly by: { readonly hostname: string; readonly username: string };
}

/** The record of a restore: who, why, from what, where to, how much, how long, what went wrong. */
export interface RestoreOutcome {
  readonly mode: 'new-directory' | 'dry-run';
  readonly point: Id;
  readonly short_id: string;
  readonly app: string | null;
  /** The moment the point holds, RFC 3339. */
  readonly time: string;
  readonly sources: readonly string[];
  readonly target: string;
  readonly by: string;
  readonly reason: string | null;
  readonly files: number;
  readonly directories: number;
  /** Plain bytes of the files. */
  readonly bytes: number;
  /** Bytes that an earlier, unfinished run had restored already. */
  readonly bytes_kept: number;
  /** Sealed bytes fetched (to be fetched, for a dry run), by storage. */
  readonly bytes_fetched: Readonly<Record<string, number>>;
  readonly packs: number;
  /** Content that could not be had, attributes that could not be set. The first thousand. */
  readonly problems: readonly FileProblem[];
  readonly problem_count: number;
  /** Files that are not there because no storage has them whole. */
  readonly missing: number;
  readonly storage_problems: readonly StorageProblems[];
  readonly duration_s: number;
}

/** As root what was recorded, else ours; or the account named. Throws `usage`. */
export async function chooseOwnership(owner: string | undefined, none: boolean): Promise<Ownership> {
  const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  if (owner !== undefined && none) throw new Failure('usage', '--owner and --no-owner exclude each other.');
  if (owner !== undefined) return parseOwner(owner, own);
  return none ? 'none' : defaultOwnership(own.uid);
}

export async function restore(session: Session, input: RestoreInput): Promise<RestoreOutcome> {
  const started = session.clock.monotonic();
  await using _lock = await lockForReading(session);
  const problems = new ReadProblems(session.progress);
  const { indexed, points } = await findPoints(session, input.app, [input.point]);
  const point = points[0]!;
  const identity = { point: point.stored.id, sources: input.sources, paths: input.paths };
  const state = await inspectTarget(input.target, identity);
  const plan = await makePlan(session, indexed, point, input);
  if (typeof state === 'string') await checkRoom(input.target, plan.totals.roomBytes, plan.totals.files);
  const done = input.dryRun ? undefined : await perform(session, indexed, plan, input, problems);
  const duration = (session.clock.monotonic() - started) / 1000;
  return outcome(input, point, plan, done, problems.all, duration);
}

async function makePlan(
  { signal, progress }: Session,
  indexed: IndexedRepository,
  point: OpenedPoint,
  { sources, paths, storage }: RestoreInput,
): Promise<RestorePlan> {
  const step = 'plan';
  progress({ type: 'step', step, title: 'planning' });
  const plan = await planRestore(indexed, point, {
    sources,
    paths,
    ...(storage === undefined ? {} : { storage }),
    signal,
    onProgress: (items, bytes) => progress({ type: 'advance', step, items, bytes }),
  });
  progress({ type: 'done', step, outcome: 'done' });
  return plan;
}

async function perform(
  { signal, progress }: Session,
  indexed: IndexedRepository,
  plan: RestorePlan,
  { target, sources, paths, ownership }: RestoreInput,
  problems: ReadProblems,
): Promise<RestoredFiles> {
  const step = 'restore';
  const { bytes: totalBytes, files: totalItems } = plan.totals;
  const prepared = await prepareTarget(target, { point: plan.point, sources, paths });
  progress({ type: 'step', step, title: 'restoring', totalBytes, totalItems });
  try {
    const done = await restoreFiles(indexed, plan, {
      target,
      continues: prepared.continues,
      made: prepared.made,
      ownership,
      signal,
      onProgress: ({ bytes, kept, files }) => progress({ type: 'advance', step, bytes: bytes + kept, items: files }),
      onReadProblem: (problem) => problems.take(problem),
      onNote: (message) => progress({ type: 'note', message }),
    });
    const whole = done.missing === 0 && !plan.problems.some(({ missing }) => missing);
    if (whole) await finishTarget(target);
    progress({ type: 'done', step, outcome: whole ? 'done' : 'failed' });
    return done;
  } catch (error) {
    await abandonTarget(prepared);
    progress({ type: 'done', step, outcome: 'failed' });
    throw error;
  }
}

function outcome(
  input: RestoreInput,
  point: OpenedPoint,
  plan: RestorePlan,
  done: RestoredFiles | undefined,
  storageProblems: readonly StorageProblems[],
  duration: number,
): RestoreOutcome {
  const { totals } = plan;
  const planned: readonly PlanProblem[] = plan.problems;
  const plannedMissing = planned.filter(({ missing }) => missing).length;
  const fetched = done?.fetched ?? new Map(plan.storages.map(({ name, bytes }) => [name, bytes]));
  return {
    mode: input.dryRun ? 'dry-run' : 'new-directory',
    point: plan.point,
    short_id: shortId(plan.point),
    app: plan.app ?? null,
    time: point.stored.snapshot.time,
    sources: plan.sources,
    target: input.target,
    by: `${input.by.username}@${input.by.hostname}`,
    reason: input.reason ?? null,
    files: totals.files + totals.hardLinks,
    directories: totals.directories,
    bytes: totals.bytes,
    bytes_kept: done?.bytesKept ?? 0,
    bytes_fetched: Object.fromEntries(fetched),
    packs: totals.packs,
    problems: [...planned, ...(done?.problems ?? [])],
    problem_count: plan.problemCount + (done?.problemCount ?? 0),
    missing: plannedMissing + (done?.missing ?? 0),
    storage_problems: storageProblems,
    duration_s: duration,
  };
}
