/** The two halves of every restore, told as steps: making the plan, carrying it out in a directory. */
import { type PlanRequest, planRestore, type RestorePlan } from '../../recovery/plan.ts';
import type { OpenedPoint } from '../../recovery/point.ts';
import { type RestoredFiles, restoreFiles } from '../../recovery/restore-files.ts';
import { abandonTarget, finishTarget, prepareTarget, type RestoreIdentity } from '../../recovery/target.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import type { Ownership } from '../../repository/restore-metadata.ts';
import type { Session } from '../session.ts';
import type { ReadProblems } from './read-problems.ts';

export async function makePlan(
  { signal, progress }: Session,
  indexed: IndexedRepository,
  point: OpenedPoint,
  request: Pick<PlanRequest, 'sources' | 'paths' | 'storage'>,
): Promise<RestorePlan> {
  const step = 'plan';
  progress({ type: 'step', step, title: 'planning' });
  const plan = await planRestore(indexed, point, {
    ...request,
    signal,
    onProgress: (items, bytes) => progress({ type: 'advance', step, items, bytes }),
  });
  progress({ type: 'done', step, outcome: 'done' });
  return plan;
}

export interface TargetRequest {
  /** Absolute. */
  readonly target: string;
  readonly identity: RestoreIdentity;
  readonly ownership: Ownership;
  /** Shown beside the step; default: `restoring`. */
  readonly title?: string;
  readonly step?: string;
  /** More of the same target follows: its marker stays. */
  readonly more?: boolean;
  /** Done in the target before anything is restored, and once everything is there. */
  readonly before?: () => Promise<void>;
  readonly after?: () => Promise<void>;
}

/** Whether everything of the plan is there. */
export function isWhole(plan: RestorePlan, done: RestoredFiles): boolean {
  return done.missing === 0 && plan.incompleteSources.length === 0 && !plan.problems.some(({ missing }) => missing);
}

/** Restores into the target; its marker stays, for a later try, unless everything is there. */
export async function restoreInto(
  { signal, progress }: Session,
  indexed: IndexedRepository,
  plan: RestorePlan,
  { target, identity, ownership, title = 'restoring', step = 'restore', more, before, after }: TargetRequest,
  problems: ReadProblems,
): Promise<RestoredFiles> {
  const { bytes: totalBytes, files: totalItems } = plan.totals;
  const prepared = await prepareTarget(target, identity);
  progress({ type: 'step', step, title, totalBytes, totalItems });
  try {
    await before?.();
    const done = await restoreFiles(indexed, plan, {
      target,
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
    if (whole && !more) await finishTarget(target);
    return done;
  } catch (error) {
    await abandonTarget(prepared);
    progress({ type: 'done', step, outcome: 'failed' });
    throw error;
  }
}
