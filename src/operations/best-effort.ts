/** Work that should be done and whose failure must not undo what was achieved before it: it becomes a warning. */
import { asFailure } from '../base/failure.ts';
import type { Session } from './session.ts';

export async function bestEffort(
  { progress, signal }: Session,
  message: string,
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    signal.throwIfAborted();
    const failure = asFailure(error);
    progress({
      type: 'warning',
      message: `${message}: ${failure.message}`,
      ...(failure.hint ? { hint: failure.hint } : {}),
    });
  }
}
