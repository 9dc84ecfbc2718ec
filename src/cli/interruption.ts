/** How an interruption is told: that it was asked for, and what state is left. */
import { asFailure, Failure, isFailure } from '../base/failure.ts';

/** An abort, however it surfaced, is an interruption; what an operation itself said about the state it left is kept. */
export function endedBy(error: unknown, signal: AbortSignal): Failure {
  if (!signal.aborted || isFailure(error)) return asFailure(error);
  if (isFailure(signal.reason)) return signal.reason;
  return new Failure('interrupted', 'Stopped as asked.', { cause: error });
}

/** An interruption with `left` as its hint, unless the operation has said more; any other failure as it is. */
export function withWhatIsLeft(failure: Failure, left: string | undefined): Failure {
  if (failure.code !== 'interrupted' || failure.hint !== undefined || left === undefined) return failure;
  const { message, cause, details } = failure;
  return new Failure('interrupted', message, { hint: left, cause, details });
}
