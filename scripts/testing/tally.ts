/** Counting outcomes and saying them: the last line of the test command comes from here. */
import { NEEDS } from '../../test/support/needs.ts';

export interface Skip {
  readonly test: string;
  readonly reason: string;
}

/** What one file, one check or the whole run came to. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skips: readonly Skip[];
}

export const NOTHING: Tally = { passed: 0, failed: 0, skips: [] };

export function sum(tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((total, tally) => total + tally.passed, 0),
    failed: tallies.reduce((total, tally) => total + tally.failed, 0),
    skips: tallies.flatMap((tally) => tally.skips),
  };
}

/** In CI everything that a test needs must be there: a skip for want of a program or service is a failure. */
export function strict(tally: Tally): Tally {
  const wants = tally.skips.filter((skip) => skip.reason.startsWith(NEEDS));
  return {
    passed: tally.passed,
    failed: tally.failed + wants.length,
    skips: tally.skips.filter((skip) => !wants.includes(skip)),
  };
}

/** `12 passed, 0 failed`, and how many were skipped when there are any. */
export function sentence(tally: Tally): string {
  const skipped = tally.skips.length > 0 ? `, ${tally.skips.length} skipped` : '';
  return `${tally.passed} passed, ${tally.failed} failed${skipped}`;
}

/** One line per reason to skip, with how many tests had it. */
export function skipLines(skips: readonly Skip[]): string[] {
  const reasons = new Map<string, number>();
  for (const { reason } of skips) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  return [...reasons].map(([reason, count]) => `  skipped ${count} × ${reason}`);
}

/** Whether the run may be called good: something ran and nothing failed. */
export function isGood(tally: Tally): boolean {
  return tally.failed === 0 && tally.passed > 0;
}
