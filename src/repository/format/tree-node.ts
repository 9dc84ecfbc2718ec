/** One file, directory or other object in a tree: what a backup knows about it besides its bytes. */
import type { Id } from '../../base/ids.ts';

export type NodeType = 'file' | 'dir' | 'symlink' | 'dev' | 'chardev' | 'fifo' | 'socket';

export interface ExtendedAttribute {
  readonly name: string;
  readonly value: Uint8Array;
}

export interface TreeNode {
  /** Any bytes but `/` and NUL. */
  readonly name: Buffer;
  readonly type: NodeType;
  /** Permission bits with setuid, setgid and sticky: `st_mode & 0o7777`. The format's own bits stay inside encoder and parser. */
  readonly mode: number;
  /** Times in nanoseconds since the Unix epoch. Writers set `atimeNs` to `mtimeNs`: else reading a file would change its tree. */
  readonly mtimeNs: bigint;
  readonly atimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly uid: number;
  readonly gid: number;
  readonly user?: string;
  readonly group?: string;
  readonly inode: bigint;
  readonly deviceId: bigint;
  /** Bytes of a file. */
  readonly size: number;
  readonly links: number;
  /** Where a symlink points: any bytes but NUL. */
  readonly linkTarget?: Buffer;
  readonly xattrs?: readonly ExtendedAttribute[];
  /** JSON text of attributes of other platforms, kept as it is. */
  readonly genericAttributes?: string;
  /** Device number of a `dev` or `chardev`. */
  readonly device?: bigint;
  /** Ids of a file's blobs, 32 bytes each, one after the other; of length 0 for an empty file, undefined for what is no file. */
  readonly content?: Uint8Array;
  /** Tree of a directory. */
  readonly subtree?: Id;
  /** What went wrong when the object was read. */
  readonly error?: string;
}

/** The bounds of a name in bytes; file systems stop at 255, paths at 4,096. */
export const MAX_NAME_SIZE = 4096;

/** Whether a name is one path component and nothing more: restoring anything else could leave the target. */
export function isPlainName(name: Uint8Array): boolean {
  if (name.length === 0 || name.includes(0x2f) || name.includes(0)) return false;
  const dots = name.length <= 2 && name.every((byte) => byte === 0x2e);
  return !dots;
}

/** Go's `FileMode` keeps the type of a file above 32-bit range for JavaScript's signed operators, hence the arithmetic. */
const TYPE_BITS: Readonly<Record<NodeType, number>> = {
  file: 0,
  dir: 2 ** 31,
  symlink: 2 ** 27,
  dev: 2 ** 26,
  chardev: 2 ** 26 + 2 ** 21,
  fifo: 2 ** 25,
  socket: 2 ** 24,
};

const SETUID = 2 ** 23;
const SETGID = 2 ** 22;
const STICKY = 2 ** 20;

/** `st_mode`-style permission bits and type to Go's `FileMode`. */
export function toGoMode(type: NodeType, mode: number): number {
  const special = (mode & 0o4000 ? SETUID : 0) + (mode & 0o2000 ? SETGID : 0) + (mode & 0o1000 ? STICKY : 0);
  return TYPE_BITS[type] + special + (mode & 0o777);
}

/** The `st_mode & 0o7777` of Go's `FileMode`. */
export function fromGoMode(goMode: number): number {
  return (
    (goMode & 0o777) | (goMode & SETUID ? 0o4000 : 0) | (goMode & SETGID ? 0o2000 : 0) | (goMode & STICKY ? 0o1000 : 0)
  );
}
