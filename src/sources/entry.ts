/**
 * What a source yields. A source describes what there is and how to read it; it stores nothing.
 *
 * Ordered sources (a directory tree) yield entries depth first, each directory's names in ascending byte order, `dir` … `up` in pairs.
 * Loose sources (a base backup, chosen files) yield whole relative paths in any order.
 */

/** The metadata of one file-system object, as `lstat` gives it. */
export interface Meta {
  /** Permission bits with setuid, setgid and sticky: `st_mode & 0o7777`. */
  readonly mode: number;
  /** Nanoseconds since the Unix epoch. */
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly uid: number;
  readonly gid: number;
  readonly user?: string;
  readonly group?: string;
  readonly inode: bigint;
  readonly deviceId: bigint;
  readonly links: number;
  readonly xattrs?: readonly { readonly name: string; readonly value: Uint8Array }[];
}

/** How a file's bytes are had. `path` bodies are read where the hashing happens, without passing through the caller. */
export type Body =
  | { readonly kind: 'path'; readonly path: Buffer }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** Must be consumed, in the order in which the source yields them, before the next entry is asked for. */
  | { readonly kind: 'stream'; readonly chunks: AsyncIterable<Uint8Array> }
  /** What changed since an earlier point that has a file of this path. To be consumed like a stream. */
  | ({ readonly kind: 'changes' } & FileChanges);

/** A file as its earlier content with other pages. What is neither kept nor among the pages is zeros. */
export interface FileChanges {
  /** Bytes of a page. */
  readonly pageSize: number;
  /** Numbers of the pages that are sent, ascending. */
  readonly blocks: Uint32Array;
  /** Earlier content counts up to this many bytes. */
  readonly kept: number;
  /** At most so long are the pieces into which what changed is cut. */
  readonly grain: number;
  /** The pages in order. Each is valid until the next is asked for. */
  pages(): AsyncIterable<Uint8Array>;
}

/** Where a file's content may be cut: by content (the default), or at fixed offsets of `grain` bytes (relation files: page-aligned). */
export type Cutting = { readonly by: 'content' } | { readonly by: 'offset'; readonly grain: number };

export type Entry =
  | { readonly type: 'dir'; readonly name: Buffer; readonly meta: Meta }
  | { readonly type: 'up' }
  | { readonly type: 'file'; readonly name: Buffer; readonly meta: Meta; readonly size: number; readonly body: Body }
  | { readonly type: 'symlink'; readonly name: Buffer; readonly meta: Meta; readonly target: Buffer };

/** A file of a loose source: `path` is relative to the source's root, `/`-separated, without `.` or `..`. */
export type LooseEntry =
  | { readonly type: 'dir'; readonly path: string; readonly meta: Meta }
  | {
      readonly type: 'file';
      readonly path: string;
      readonly meta: Meta;
      readonly size: number;
      readonly body: Body;
      readonly cutting: Cutting;
    }
  | { readonly type: 'symlink'; readonly path: string; readonly meta: Meta; readonly target: Buffer };

/** Something a source could not read, or chose not to: told to the operator, kept in the manifest. */
export interface SourceNotice {
  /** `unreadable` makes the run exit 3; the others are remarks. */
  readonly kind: 'unreadable' | 'skipped' | 'changed' | 'vanished' | 'masked' | 'damaged' | 'note';
  /** Path or object, printable. */
  readonly item: string;
  readonly reason: string;
}

export type Notify = (notice: SourceNotice) => void;
