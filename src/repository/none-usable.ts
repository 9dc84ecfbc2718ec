/** What is told when no storage can be used. */
import { Failure, type FailureCode } from '../base/failure.ts';
import { given } from '../base/given.ts';

/** Tells each one's own failure; the hint is that of `main`. */
export function noneUsable(
  failures: readonly Failure[],
  { code = 'storages_failed', main = failures[0] }: { readonly code?: FailureCode; readonly main?: Failure } = {},
): Failure {
  const told = failures.map(({ message }) => message).join(' ');
  const options = { ...given('hint', main?.hint), ...given('cause', main) };
  return new Failure(code, `No storage can be used${told === '' ? '.' : `: ${told}`}`, options);
}

/** The same; where there is one storage, its own failure says it best. */
export function allFailed(failures: readonly Failure[]): Failure {
  const [only, ...more] = failures;
  return only !== undefined && more.length === 0 ? only : noneUsable(failures);
}
