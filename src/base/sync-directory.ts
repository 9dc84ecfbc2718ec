/** Making the entries of a directory durable. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { errno } from './errno.ts';

/** What a directory's fsync answers on file systems that have none. */
const NO_DIRECTORY_SYNC = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EISDIR', 'EBADF']);

/**
 * New, renamed and removed names in the directory survive a power cut, where the file system can promise that. Rejects with the error of
 * the operating system.
 */
export async function syncDirectory(path: string | Buffer): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } catch (error) {
    if (!NO_DIRECTORY_SYNC.has(errno(error) ?? '')) throw error;
  } finally {
    await directory.close();
  }
}
