/** What the operating system's error codes mean to someone who backs up files. */

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

/** The system's code (`ENOENT`, …) of an error; undefined when it is not one of the system's. */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/** Whether the error says that what was there a moment ago is gone, or has become something else. */
export function isVanished(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EINVAL';
}

/** The reason for people, with the system's code. */
export function reasonOf(error: unknown): string {
  const code = errorCode(error);
  if (code === undefined) return error instanceof Error ? error.message : String(error);
  return `${REASONS[code] ?? 'it cannot be read'} (${code})`;
}
