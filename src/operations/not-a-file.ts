/** What stands in a point where a file was asked for, in words. */
import { Failure } from '../base/failure.ts';
import { printable } from '../base/printable.ts';
import type { TreeNode } from '../repository/trees.ts';

/** `node`: undefined for the app's directory. `hint`: what to do where it is no directory; of one, what lists it is told. */
export function notAFile(
  path: string,
  node: TreeNode | undefined,
  { list, hint }: { list: string; hint: string },
): Failure {
  const shown = path === '' ? "The app's directory" : printable(path);
  const isDirectory = node === undefined || node.type === 'dir';
  return new Failure('path_unknown', `${shown} is ${isDirectory ? 'a directory' : kindOf(node)}, not a file.`, {
    hint: isDirectory ? list : hint,
  });
}

function kindOf({ type, linkTarget }: TreeNode): string {
  switch (type) {
    case 'symlink':
      return `a symbolic link to ${printable(String(linkTarget))}`;
    case 'dev':
    case 'chardev':
      return 'a device';
    case 'fifo':
      return 'a named pipe';
    case 'socket':
      return 'a socket';
    default:
      return 'something else';
  }
}
