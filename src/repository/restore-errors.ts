/** What a system error means for a restore: for one file, or for all of it. */
import { errno } from '../base/errno.ts';
import { Failure } from '../base/failure.ts';
import { printable } from '../base/printable.ts';

/** These say that one name or one file cannot be had on this file system; the others can. */
const OF_ONE_FILE = new Set([
  'ENAMETOOLONG',
  'EILSEQ',
  'EINVAL',
  'EFBIG',
  'EOVERFLOW',
  'ENOTSUP',
  'EOPNOTSUPP',
  'EMLINK',
]);

/** What the account or the file system does not allow: a remark where it is about metadata. */
const REFUSED = new Set(['EPERM', 'EACCES', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

export function isRefusal(error: unknown): boolean {
  return REFUSED.has(errno(error) ?? '');
}

export function isOfOneFile(error: unknown): boolean {
  return OF_ONE_FILE.has(errno(error) ?? '');
}

/** The Failure for a system error that no other file would escape; anything else is returned as it is. */
export function targetFailure(error: unknown, path: Uint8Array | string): unknown {
  const code = errno(error);
  if (code === undefined) return error;
  const where = printable(typeof path === 'string' ? path : Buffer.from(path).toString());
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new Failure('target_full', `The target is full: ${where} could not be written.`, {
        hint: 'Make room and run the same restore again: it continues where it stopped.',
        cause: error,
      });
    case 'ELOOP':
    case 'ENOTDIR':
    case 'EEXIST':
    case 'EISDIR':
      return new Failure(
        'target_unsafe',
        `Something else stands in the way of ${where}; nothing was written through it.`,
        {
          hint: 'Nobody but the restore may change the target while it runs. Restore into a new directory.',
          cause: error,
        },
      );
    default:
      return new Failure('target_unwritable', `${where} cannot be written: ${(error as Error).message}.`, {
        hint: 'Check the permissions and the state of the file system of the target, then run the same restore again.',
        cause: error,
      });
  }
}
