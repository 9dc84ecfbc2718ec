/** Which files of a source were one file with several names: same inode, same device, same content. */
import type { TreeNode } from '../../repository/trees.ts';

interface Group {
  readonly row: number;
  /** Names still to come. */
  left: number;
}

export class HardLinks {
  readonly #groups = new Map<string, Group>();

  /** The row of the file that `node` is another name of, if `isSame` agrees. */
  find(node: TreeNode, isSame: (row: number) => boolean): number | undefined {
    if (node.links < 2) return undefined;
    const key = keyOf(node);
    const group = this.#groups.get(key);
    if (group === undefined || !isSame(group.row)) return undefined;
    group.left -= 1;
    if (group.left === 0) this.#groups.delete(key);
    return group.row;
  }

  /** Remembers the first name of a file. */
  begin(node: TreeNode, row: number): void {
    if (node.links > 1) this.#groups.set(keyOf(node), { row, left: node.links - 1 });
  }
}

function keyOf({ inode, deviceId }: TreeNode): string {
  return `${deviceId}:${inode}`;
}
