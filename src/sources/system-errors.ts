/** What the operating system's error codes mean to someone who backs up files. */
import { errno } from '../base/errno.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENAMETOOLONG: 'the path is longer than the 4,095 bytes that the kernel takes',
  EIO: 'the disk reports a read error',
  ESTALE: 'the network file system has lost it',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open on this machine',
  ELOOP: 'too many symbolic links',
};

/** Whether the error says that what was there a moment ago is gone, or has become something else. */
export function isVanished(error: unknown): boolean {
  const code = errno(error);
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EINVAL';
}

/** The reason for people, with the system's code. */
export function reasonOf(error: unknown): string {
  const code = errno(error);
  if (code === undefined) return error instanceof Error ? error.message : String(error);
  return `${REASONS[code] ?? 'it cannot be read'} (${code})`;
}
