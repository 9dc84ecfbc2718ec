/** How a failure is told: one clear line, a hint, every problem it lists; with `--json` one `exit_error` line. All on standard error. */
import { EXIT, type Failure } from '../base/failure.ts';
import { printable } from '../base/printable.ts';
import { jsonLine } from './output/json.ts';
import { plainStyle, type Style } from './output/style.ts';

/** What a Failure may list under `details.problems`: configuration mistakes, the errors of each storage, … */
export interface ListedProblem {
  readonly line?: number | undefined;
  readonly path?: string;
  readonly message: string;
}

export interface ReportOptions {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly style?: Style;
  /** With which the program ends, where that is not the failure's own. */
  readonly status?: number;
}

/** The text to print for `failure`, with its final newline. */
export function failureText(failure: Failure, { json, verbose, style = plainStyle, status }: ReportOptions): string {
  if (json) return jsonLine(exitError(failure, status));
  const lines = [`${style.red(failure.code === 'interrupted' ? 'Interrupted:' : 'Error:')} ${headline(failure)}`];
  for (const problem of listedProblems(failure)) lines.push(`  ${problemText(problem)}`);
  if (failure.hint !== undefined) lines.push(`  ${style.bold('Hint:')} ${failure.hint}`);
  if (verbose)
    lines.push(
      ...causes(failure).map((cause) => `  ${style.dim(`because: ${cause}`)}`),
      `  ${style.dim(`code: ${failure.code}`)}`,
    );
  return `${lines.join('\n')}\n`;
}

function headline(failure: Failure): string {
  if (failure.code !== 'internal') return multiline(failure.message);
  return `${multiline(failure.message)} (this is a mistake in Holdfast; -v shows more)`;
}

function exitError(failure: Failure, status = failure.exitCode): Record<string, unknown> {
  return {
    message_type: 'exit_error',
    code: status,
    error: failure.code,
    message: failure.message,
    hint: failure.hint ?? null,
    ...(Object.keys(failure.details).length === 0 ? {} : { details: failure.details }),
  };
}

function listedProblems(failure: Failure): readonly ListedProblem[] {
  const problems = failure.details.problems;
  return Array.isArray(problems) ? problems.filter((problem) => typeof problem?.message === 'string') : [];
}

/** `line 12: apps.clinic: message`, with what is known of it. */
export function problemText({ line, path, message }: ListedProblem): string {
  return [line === undefined ? '' : `line ${line}`, path ?? '', message]
    .filter((part) => part !== '')
    .map(printable)
    .join(': ');
}

function multiline(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** The chain below a failure; for a mistake of ours its stack too. */
function causes(failure: Failure): string[] {
  const texts: string[] = [];
  let cause = failure.cause;
  for (let depth = 0; cause instanceof Error && depth < 8; depth++) {
    texts.push(multiline(failure.code === 'internal' ? (cause.stack ?? cause.message) : cause.message));
    cause = cause.cause;
  }
  return texts;
}

/** What each exit status means, as `--help` lists it. */
export const EXIT_MEANINGS: ReadonlyMap<number, string> = new Map([
  [EXIT.done, 'done'],
  [EXIT.failed, 'failed'],
  [EXIT.usage, 'wrong usage or configuration'],
  [EXIT.partial, 'done in part; what is missing and why is listed'],
  [EXIT.damaged, 'damage was found'],
  [EXIT.unreachableMoment, 'that moment cannot be restored'],
  [EXIT.objectiveBroken, 'an objective is broken'],
  [EXIT.noRepository, 'no repository there'],
  [EXIT.locked, 'locked by another run'],
  [EXIT.wrongPassword, 'wrong password'],
  [EXIT.interrupted, 'interrupted'],
]);
