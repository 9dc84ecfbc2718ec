/** A restore's lock: it keeps a prune away, but a storage that cannot even be locked must not stop anybody from getting data back. */
import { isFailure } from '../base/failure.ts';
import type { RecoveryWorld } from './world.ts';

/** Throws `locked` while somebody removes data; any other trouble is a warning. */
export async function lockForReading({
  repository,
  progress,
}: Pick<RecoveryWorld, 'repository' | 'progress'>): Promise<AsyncDisposable> {
  try {
    return await repository.lock(false);
  } catch (error) {
    repository.settings.signal?.throwIfAborted();
    if (!isFailure(error) || error.code === 'locked') throw error;
    const hint = 'See to it that nobody prunes the repository meanwhile.';
    progress({ type: 'warning', message: `The repository is read without a lock: ${error.message}`, hint });
    return { [Symbol.asyncDispose]: async () => {} };
  }
}
