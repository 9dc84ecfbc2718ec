/** Where a tar member belongs. A server's archive is as hostile as any other: a name may not leave its root. */
import { badTar } from './header.ts';

const MAX_PATH_BYTES = 4096;

/**
 * The member's path under `root` (`` or `a/b`), or `undefined` for the archive's own root. Leading `./` and trailing `/` are dropped;
 * absolute names, `..` and NUL throw Failure `postgres_protocol`.
 */
export function memberPath(root: string, name: string): string | undefined {
  const parts = name.replace(/\/+$/, '').split('/');
  while (parts[0] === '.') parts.shift();
  if (parts.length === 0 || (parts.length === 1 && parts[0] === '' && !name.startsWith('/'))) return undefined;
  const unsafe = parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0'));
  if (unsafe || Buffer.byteLength(name) > MAX_PATH_BYTES) {
    throw badTar(`member name ${JSON.stringify(name.slice(0, 120))}`);
  }
  return root ? `${root}/${parts.join('/')}` : parts.join('/');
}
