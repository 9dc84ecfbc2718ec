/** Restores a point, or part of one, into a new directory. */

import { Failure } from '../base/failure.ts';
import { type Id, shortId } from '../base/ids.ts';
import { defaultOwnership, parseOwner } from '../recovery/owner.ts';
import type { RestorePlan } from '../recovery/plan.ts';
import type { OpenedPoint } from '../recovery/point.ts';
import type { FileProblem, RestoredFiles } from '../recovery/restore-files.ts';
import { announceReading } from '../recovery/shared-lock.ts';
import { checkRoom, inspectTarget, type RestoreIdentity } from '../recovery/target.ts';
import type { Ownership } from '../repository/restore-metadata.ts';
import { type Assembly, assemblyFor, type Part, type PartRecord, recordsOf } from './restore/assembly.ts';
import { findPoints } from './restore/find-point.ts';
import { tellTimelines } from './restore/own-timeline.ts';
import { ReadProblems, type StorageProblems } from './restore/read-problems.ts';
import { makePlans, restoreInto, type Work } from './restore/run.ts';
import type { Session } from './session.ts';

/** What every restore is asked for. */
export interface RestoreRequest {
  /** First digits of a point's id, or `latest`. */
  readonly point: string;
  readonly sources: readonly string[];
  /** Read from this storage only. */
  readonly storage?: string;
  readonly ownership: Ownership;
  readonly dryRun: boolean;
  readonly reason?: string;
  readonly by: { readonly hostname: string; readonly username: string };
}

export interface RestoreInput extends RestoreRequest {
  /** The app whose point `latest` is; undefined: any snapshot of the repository. */
  readonly app: string | undefined;
  /** Absolute. */
  readonly target: string;
  readonly paths: readonly string[];
}

/** The record of a restore: who, why, from what, where to, how much, how long, what went wrong. */
export interface RestoreOutcome {
  readonly mode: 'new-directory' | 'in-place' | 'dry-run';
  /** The newest of those that give something. */
  readonly point: Id;
  readonly short_id: string;
  /** From which point each source comes, the newest first. */
  readonly points: readonly PartRecord[];
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
  await using lock = await announceReading(session);
  const problems = new ReadProblems(session.progress);
  const found = await findPoints(session, input.app, [input.point]);
  const { indexed } = found;
  const assembly = await assemblyFor(session, found, { word: input.point, asked: input.sources });
  const { point } = assembly.parts[0]!;
  const identity = identityOf(assembly, input);
  const state = await inspectTarget(input.target, identity);
  const { target, ownership, dryRun } = input;
  const plans = await makePlans(session, indexed, assembly.parts, input);
  if (typeof state === 'string') await checkRoom(target, roomFor(plans), filesOf(plans));
  await lock.settled();
  if (input.paths.length === 0) await tellTimelines(session, assembly, false);
  const to = { path: target, identity, ownership };
  const done = dryRun ? undefined : await restoreInto(session, indexed, to, plans.map(workOf), problems);
  const duration = (session.clock.monotonic() - started) / 1000;
  return buildOutcome(input, { point, assembly, plans, done, storageProblems: problems.all, duration });
}

function identityOf({ parts }: Assembly, { sources, paths }: RestoreInput): RestoreIdentity {
  const [{ point }, ...others] = parts as [Part, ...Part[]];
  const besides = others.map((part) => `${part.sources.join(', ')} of ${part.point.stored.id}`).join('; ');
  return { point: point.stored.id, sources, paths, ...(besides === '' ? {} : { besides }) };
}

function workOf(plan: RestorePlan, at: number, plans: readonly RestorePlan[]): Work {
  if (plans.length === 1) return { plan, step: 'restore', title: 'restoring' };
  return { plan, step: `restore:${at + 1}`, title: `restoring ${plan.sources.join(', ')}` };
}

export function roomFor(plans: readonly RestorePlan[]): number {
  return plans.reduce((sum, { totals }) => sum + totals.roomBytes, 0);
}

export function filesOf(plans: readonly RestorePlan[]): number {
  return plans.reduce((sum, { totals }) => sum + totals.files, 0);
}

interface Ended {
  /** Stands for the restore. */
  readonly point: OpenedPoint;
  readonly assembly: Assembly;
  readonly plans: readonly RestorePlan[];
  /** Undefined for a dry run. */
  readonly done: readonly RestoredFiles[] | undefined;
  readonly storageProblems: readonly StorageProblems[];
  /** Seconds. */
  readonly duration: number;
}

/** The record of a restore that was made of one plan or of several. */
export function buildOutcome(
  input: RestoreRequest & { readonly target: string },
  { point, assembly, plans, done, storageProblems, duration }: Ended,
): RestoreOutcome {
  const sum = <T>(items: readonly T[], pick: (item: T) => number) =>
    items.reduce((total, item) => total + pick(item), 0);
  const planned = plans.flatMap((plan) => plan.problems);
  const ended = done ?? [];
  return {
    mode: input.dryRun ? 'dry-run' : 'new-directory',
    point: point.stored.id,
    short_id: shortId(point.stored.id),
    points: recordsOf(assembly.parts),
    app: point.app ?? null,
    time: point.stored.snapshot.time,
    sources: plans.flatMap((plan) => plan.sources),
    target: input.target,
    by: `${input.by.username}@${input.by.hostname}`,
    reason: input.reason ?? null,
    files: sum(plans, ({ totals }) => totals.files + totals.hardLinks),
    directories: sum(plans, ({ totals }) => totals.directories),
    bytes: sum(plans, ({ totals }) => totals.bytes),
    bytes_kept: sum(ended, ({ bytesKept }) => bytesKept),
    bytes_fetched: done === undefined ? toFetch(plans) : fetched(done),
    packs: sum(plans, ({ totals }) => totals.packs),
    problems: [...planned, ...ended.flatMap(({ problems }) => problems)],
    problem_count: sum(plans, ({ problemCount }) => problemCount) + sum(ended, ({ problemCount }) => problemCount),
    missing: planned.filter(({ missing }) => missing).length + sum(ended, ({ missing }) => missing),
    storage_problems: storageProblems,
    duration_s: duration,
  };
}

function toFetch(plans: readonly RestorePlan[]): Record<string, number> {
  return added(plans.flatMap(({ storages }) => storages.map(({ name, bytes }) => [name, bytes] as const)));
}

function fetched(done: readonly RestoredFiles[]): Record<string, number> {
  return added(done.flatMap((each) => [...each.fetched]));
}

function added(amounts: readonly (readonly [name: string, bytes: number])[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [name, bytes] of amounts) sums[name] = (sums[name] ?? 0) + bytes;
  return sums;
}
