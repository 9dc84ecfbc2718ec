/** A restore's lock: it keeps a prune away, but a storage that cannot even be locked must not stop anybody from getting data back. */
import { isFailure } from '../base/failure.ts';
import type { RecoveryWorld } from './world.ts';

/** A shared lock, or none where none could be had. */
export interface ReadingLock extends AsyncDisposable {
  /** Resolves when it is held; throws `locked` while somebody removes data. Nothing may be written before. */
  settled(): Promise<void>;
}

type World = Pick<RecoveryWorld, 'repository' | 'progress'>;

/** Throws `locked` while somebody removes data; any other trouble is a warning. */
export async function lockForReading(world: World): Promise<ReadingLock> {
  const lock = await announceReading(world);
  await lock.settled();
  return lock;
}

/** The same, but not waited for: what is listed and looked up meanwhile costs no time. */
export async function announceReading(world: World): Promise<ReadingLock> {
  try {
    const locks = await world.repository.announceLock(false);
    return {
      settled: () => locks.settled().catch((error: unknown) => goOnWithout(world, error)),
      [Symbol.asyncDispose]: () => locks.release(),
    };
  } catch (error) {
    goOnWithout(world, error);
    return { settled: async () => {}, [Symbol.asyncDispose]: async () => {} };
  }
}

function goOnWithout({ repository, progress }: World, error: unknown): void {
  repository.settings.signal?.throwIfAborted();
  if (!isFailure(error) || error.code === 'locked') throw error;
  const hint = 'See to it that nobody prunes the repository meanwhile.';
  progress({ type: 'warning', message: `The repository is read without a lock: ${error.message}`, hint });
}
