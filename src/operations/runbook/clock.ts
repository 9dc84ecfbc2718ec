/** The clock of a recovery: how much of the objective is used, and about how much is left to do. */
import { formatDuration } from '../../base/durations.ts';
import type { RunbookReport } from './report.ts';
import type { PlannedStep } from './steps.ts';

/** How long each step is likely to take, in ms, by number: as long as the last time it went well, else what it may. */
export function expectations(
  steps: readonly PlannedStep[],
  earlier: readonly RunbookReport[],
): ReadonlyMap<number, number> {
  return new Map(
    steps.map(({ number, title, budgetMs, skipped }) => {
      if (skipped !== undefined) return [number, 0] as const;
      const known = earlier
        .flatMap((report) => report.steps)
        .findLast((step) => step.title === title && step.outcome === 'done' && step.duration_s !== null);
      return [number, known?.duration_s == null ? budgetMs : known.duration_s * 1000] as const;
    }),
  );
}

/** `7 min of 1 h used; about 25 min more to do.` */
export function describeClock(usedMs: number, leftMs: number, objectiveMs: number): string {
  const total = usedMs + leftMs;
  const late = total > objectiveMs ? ` That is ${formatDuration(total - objectiveMs)} more than promised.` : '';
  return `${formatDuration(usedMs)} of ${formatDuration(objectiveMs)} used; about ${formatDuration(leftMs)} more to do.${late}`;
}
