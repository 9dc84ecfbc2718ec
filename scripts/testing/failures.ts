/**
 * What failed, said once more at the end of a run: whoever keeps only the end of the output still sees which tests failed and why. All of
 * it is bounded.
 */

/** One thing that failed: a test, a check, or a whole file. */
export interface Failed {
  readonly what: string;
  /** What it said. */
  readonly text: string;
}

const MAX_FAILED = 20;
const MAX_LINES = 40;
const MAX_LINE = 300;

/** The lines of a summary; none when nothing failed. */
export function failureLines(failed: readonly Failed[]): string[] {
  if (failed.length === 0) return [];
  const shown = failed.slice(0, MAX_FAILED).flatMap(({ what, text }) => [`✖ ${what}`, ...bounded(text)]);
  const more = failed.length - MAX_FAILED;
  return ['', `Failed (${failed.length}), once more:`, ...shown, ...(more > 0 ? [`… and ${more} more`] : []), ''];
}

/** The beginning and the end of a text, indented: the one tells what, the other where. */
function bounded(text: string): string[] {
  const lines = text.trim().split('\n');
  const left = lines.length - MAX_LINES;
  const half = MAX_LINES / 2;
  const kept = left > 0 ? [...lines.slice(0, half), `… ${left} lines …`, ...lines.slice(-half)] : lines;
  return kept.map((line) => `    ${line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line}`);
}
