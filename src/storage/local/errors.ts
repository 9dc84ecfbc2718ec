/** What the operating system's errors mean for a storage in a directory. */
import { errno } from '../../base/errno.ts';
import { asFailure, Failure, type FailureCode } from '../../base/failure.ts';

interface Meaning {
  readonly code: FailureCode;
  readonly text: string;
  readonly hint: string;
}

const full = (text: string): Meaning => ({
  code: 'storage_full',
  text,
  hint: 'Free space there (holdfast prune removes what retention no longer needs) or give the storage more.',
});
const refused = (text: string, hint: string): Meaning => ({ code: 'storage_refused', text, hint });
const unreachable = (text: string): Meaning => ({
  code: 'storage_unreachable',
  text,
  hint: 'Look at the disk or the network mount behind this directory.',
});

const OWN_IT = 'Run as the user who owns the repository, or give that user read and write access to the directory.';

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ENOSPC: full('no space left on the device'),
  EDQUOT: full('the disk quota is used up'),
  EFBIG: full('the file system takes no file of this size'),
  EACCES: refused('permission denied', OWN_IT),
  EPERM: refused('operation not permitted', OWN_IT),
  EROFS: refused(
    'the file system is mounted read-only',
    'Mount it writable; after a disk error look at the disk first.',
  ),
  ENOTDIR: refused('a file stands where a directory belongs', 'Check the path of the storage.'),
  EISDIR: refused('a directory stands where an object belongs', 'Move away what does not belong to the repository.'),
  ELOOP: refused('too many symbolic links', 'Check the path of the storage.'),
  ENAMETOOLONG: refused('the path is too long', 'Choose a shorter path for the storage.'),
  EIO: unreachable('the device reports an input/output error'),
  ESTALE: unreachable('the network mount is stale'),
  ENOTCONN: unreachable('the mount has lost its connection'),
  EHOSTDOWN: unreachable('the server behind the mount is down'),
  ETIMEDOUT: unreachable('the server behind the mount does not answer'),
  ENODEV: unreachable('the device is gone'),
  ENXIO: unreachable('the device is gone'),
  EMFILE: unreachable('too many open files in this process'),
  ENFILE: unreachable('too many open files on this machine'),
};

/** Turns an error of `doing` ("writing data/ab/…") into the Failure people see. */
export function localFailure(storage: string, doing: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  const meaning = MEANINGS[errno(error) ?? ''];
  if (!meaning) return wrapUnknown(storage, doing, error);
  return new Failure(meaning.code, `${storage}: ${doing}: ${meaning.text}.`, { hint: meaning.hint, cause: error });
}

function wrapUnknown(storage: string, doing: string, error: unknown): Failure {
  const plain = asFailure(error, 'storage_unreachable');
  if (plain.code === 'interrupted') return plain;
  return new Failure(plain.code, `${storage}: ${doing}: ${plain.message}`, { cause: error });
}
