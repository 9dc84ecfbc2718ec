/** The two halves of every restore, told as steps: making the plan, carrying it out in a directory. */
import { planRestore, type RestorePlan, refuseUnmatched } from '../../recovery/plan.ts';
import { type RestoredFiles, restoreFiles } from '../../recovery/restore-files.ts';
import { abandonTarget, finishTarget, prepareTarget, type RestoreIdentity } from '../../recovery/target.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import type { Ownership } from '../../repository/restore-metadata.ts';
import type { Session } from '../session.ts';
import type { Part } from './assembly.ts';
import type { ReadProblems } from './read-problems.ts';

export interface PartsRequest {
  /** Empty: everything. */
  readonly paths: readonly string[];
  /** Read from this storage only. */
  readonly storage?: string;
}

/** A plan for each part of which something is wanted. Throws `path_unknown` for a pattern that matches nothing in any of them. */
export async function makePlans(
  session: Session,
  indexed: IndexedRepository,
  parts: readonly Part[],
  request: PartsRequest,
): Promise<readonly RestorePlan[]> {
  const plans: RestorePlan[] = [];
  for (const part of parts) plans.push(await makePlan(session, indexed, part, request));
  const [first] = plans;
  if (first !== undefined) refuseUnmatched(plans, first.point);
  return request.paths.length === 0 ? plans : plans.filter(({ sources }) => sources.length > 0);
}

export async function makePlan(
  { signal, progress }: Session,
  indexed: IndexedRepository,
  { point, sources, isAll }: Part,
  { paths, storage }: PartsRequest,
): Promise<RestorePlan> {
  const step = 'plan';
  progress({ type: 'step', step, title: 'planning' });
  const plan = await planRestore(indexed, point, {
    sources: isAll ? [] : sources,
    paths,
    ...(storage === undefined ? {} : { storage }),
    signal,
    onProgress: (items, bytes) => progress({ type: 'advance', step, items, bytes }),
  });
  progress({ type: 'done', step, outcome: 'done' });
  return plan;
}

export interface Target {
  /** Absolute. */
  readonly path: string;
  readonly identity: RestoreIdentity;
  readonly ownership: Ownership;
}

/** One plan with what is done around it. */
export interface Work {
  readonly plan: RestorePlan;
  readonly step: string;
  /** Shown beside the step. */
  readonly title: string;
  /** Done in the target before anything of the plan is restored, and once everything of it is there. */
  readonly before?: () => Promise<void>;
  readonly after?: () => Promise<void>;
}

/** Whether everything of the plan is there. */
export function isWhole(plan: RestorePlan, done: RestoredFiles): boolean {
  return done.missing === 0 && plan.incompleteSources.length === 0 && !plan.problems.some(({ missing }) => missing);
}

/** Restores one after the other into the target; its marker stays, for a later try, unless everything of all is there. */
export async function restoreInto(
  session: Session,
  indexed: IndexedRepository,
  target: Target,
  works: readonly Work[],
  problems: ReadProblems,
): Promise<RestoredFiles[]> {
  const all: RestoredFiles[] = [];
  for (const work of works) all.push(await restoreOne(session, indexed, target, work, problems));
  if (works.every(({ plan }, i) => isWhole(plan, all[i]!))) await finishTarget(target.path);
  return all;
}

async function restoreOne(
  { signal, progress }: Session,
  indexed: IndexedRepository,
  { path, identity, ownership }: Target,
  { plan, step, title, before, after }: Work,
  problems: ReadProblems,
): Promise<RestoredFiles> {
  const { bytes: totalBytes, files: totalItems } = plan.totals;
  const prepared = await prepareTarget(path, identity);
  progress({ type: 'step', step, title, totalBytes, totalItems });
  try {
    await before?.();
    const done = await restoreFiles(indexed, plan, {
      target: path,
      continues: prepared.continues || before !== undefined,
      made: prepared.made,
      ownership,
      signal,
      onProgress: ({ bytes, kept, files }) => progress({ type: 'advance', step, bytes: bytes + kept, items: files }),
      onReadProblem: (problem) => problems.take(problem),
      onNote: (message) => progress({ type: 'note', message }),
    });
    const whole = isWhole(plan, done);
    progress({ type: 'done', step, outcome: whole ? 'done' : 'failed' });
    if (whole) await after?.();
    return done;
  } catch (error) {
    await abandonTarget(prepared);
    progress({ type: 'done', step, outcome: 'failed' });
    throw error;
  }
}
