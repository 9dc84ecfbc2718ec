/**
 * The files source: everything below one directory, depth first, each directory's names in ascending byte order.
 *
 * The tree is listed on a thread of its own that runs ahead of the reader within fixed bounds (docs/decisions/0003-scanning.md). What is
 * kept: regular files (holes of sparse files read as zeros), directories, symbolic links (never followed, except the root itself), hard
 * links (same inode and device, `links` > 1). What is not: named pipes, sockets and devices (a `skipped` notice each), whatever the
 * patterns of `files/exclude.ts` name, the contents of caches that carry a CACHEDIR.TAG, and, with `oneFileSystem`, what is mounted
 * below the root (the mount point stays, empty). A directory that cannot be listed is left out whole, an `unreadable` notice says so,
 * and the walk goes on. Paths of more than 4,095 bytes are refused by the kernel and are told as unreadable.
 */
import type { Entry, Meta, Notify } from './entry.ts';
import { metaOf, readAccounts } from './file-meta.ts';
import { BatchDecoder } from './files/batch-decoder.ts';
import { compileExcludes } from './files/exclude.ts';
import type { PackedBatch } from './files/packed-batch.ts';
import { openRoot } from './files/root.ts';
import { scanInThread } from './files/scan-thread.ts';
import type { XattrReader } from './files/xattr-reader.ts';

export { compileExcludes, type IsExcluded } from './files/exclude.ts';
export { prepareScan } from './files/scan-thread.ts';
export { decideStable, type FileState, MAX_READS } from './files/stable.ts';
export { applyXattrs, type XattrsToApply } from './files/xattr-apply.ts';
export type { Xattr } from './files/xattr-dump.ts';
export { openXattrReader, type XattrReader } from './files/xattr-reader.ts';

export interface WalkOptions {
  /** A directory, or a symbolic link to one. Relative paths are relative to the working directory. */
  readonly root: string;
  /** Patterns as in a `.gitignore`; see `files/exclude.ts`. */
  readonly exclude?: readonly string[];
  /** Stay on the root's file system. Default: false. */
  readonly oneFileSystem?: boolean;
  /** Of a directory with a valid CACHEDIR.TAG keep only that tag. Default: true. */
  readonly excludeCaches?: boolean;
  /** Reads the extended attributes of every entry; without it, entries have none. See `openXattrReader`. */
  readonly xattrs?: XattrReader | undefined;
  readonly signal?: AbortSignal;
  readonly notify: Notify;
}

/** The metadata of the root directory itself, which the walk does not yield. Throws `source_unreadable`. */
export async function rootDirectory(root: string): Promise<Meta> {
  return metaOf(readAccounts(), (await openRoot(root)).stats);
}

/**
 * What is below `root`, in batches of up to 1,024 entries, every `dir` with its `up`. Leaving the loop stops the scan.
 * Throws `source_unreadable` when the root is missing, is no directory or cannot be listed, `config_invalid` for a pattern that cannot
 * be used, and the signal's reason when it fires.
 */
export async function* walkFiles(options: WalkOptions): AsyncGenerator<readonly Entry[], void> {
  compileExcludes(options.exclude ?? []); // the scanner compiles them again; here mistakes are told before anything starts
  const root = await openRoot(options.root);
  const path = Buffer.from(root.path);
  const request = {
    root: root.path === '/' ? '' : path.toString('latin1'),
    device: root.stats.dev,
    exclude: options.exclude ?? [],
    oneFileSystem: options.oneFileSystem ?? false,
    excludeCaches: options.excludeCaches ?? true,
  };
  const decoder = new BatchDecoder(path, readAccounts());
  let previous: Promise<readonly Entry[]> | undefined;
  for await (const batch of scanInThread(request, options.signal)) {
    for (const notice of batch.notices) options.notify(notice);
    if (batch.rows === 0) continue;
    if (options.xattrs === undefined) yield decoder.decode(batch);
    else {
      // One batch ahead: attributes are read while the consumer works on the batch before.
      const next = withXattrs(decoder, batch, options.xattrs);
      if (previous !== undefined) yield await previous;
      previous = next;
    }
  }
  if (previous !== undefined) yield await previous;
}

async function withXattrs(decoder: BatchDecoder, batch: PackedBatch, reader: XattrReader): Promise<readonly Entry[]> {
  const paths: string[] = [];
  const entries = decoder.decode(batch, paths);
  const rows = entries.flatMap((entry, row) => (entry.type === 'up' ? [] : [{ entry, path: paths[row]! }]));
  const found = await reader.readByteStrings(rows.map((row) => row.path));
  for (const [index, xattrs] of found.entries()) {
    const { entry } = rows[index]!;
    if (xattrs !== undefined) (entry as { meta: Meta }).meta = { ...entry.meta, xattrs };
  }
  return entries;
}
