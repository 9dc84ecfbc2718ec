/** From what a source yields to what a tree holds. */
import type { TreeNode } from '../../repository/trees.ts';
import type { Meta } from '../../sources/entry.ts';

type Kind = Pick<TreeNode, 'type'> & Partial<Pick<TreeNode, 'size' | 'content' | 'subtree' | 'linkTarget'>>;

export function toNode(name: Buffer, meta: Meta, kind: Kind): TreeNode {
  return {
    name,
    mode: meta.mode,
    mtimeNs: meta.mtimeNs,
    atimeNs: meta.mtimeNs,
    ctimeNs: meta.ctimeNs,
    uid: meta.uid,
    gid: meta.gid,
    inode: meta.inode,
    deviceId: meta.deviceId,
    links: meta.links,
    size: 0,
    ...(meta.user === undefined ? {} : { user: meta.user }),
    ...(meta.group === undefined ? {} : { group: meta.group }),
    ...(meta.xattrs === undefined ? {} : { xattrs: meta.xattrs }),
    ...kind,
  };
}

/** Metadata of a directory or file that exists only in the point. */
export function syntheticMeta(timeMs: number, mode: number): Meta {
  const ns = BigInt(timeMs) * 1_000_000n;
  return { mode, mtimeNs: ns, ctimeNs: ns, uid: 0, gid: 0, inode: 0n, deviceId: 0n, links: 0 };
}
