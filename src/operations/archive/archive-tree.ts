/**
 * Archives an ordered source (a directory tree): unchanged files keep the content of the earlier point without being read, the others go to
 * the workers, and each directory becomes a tree as soon as its last entry is known.
 */
import { type Id, idFromBytes } from '../../base/ids.ts';
import { printable } from '../../base/printable.ts';
import { releaseAll } from '../../base/release.ts';
import {
  type EarlierTrees,
  encodeNode,
  encodeNodeHead,
  type LocalTrees,
  type TreeNode,
} from '../../repository/trees.ts';
import type { Entry, Meta } from '../../sources/entry.ts';
import { type ArchiveContext, WORK_AHEAD } from './context.ts';
import { type FileOutcome, FileReader, type PathFile } from './file-reader.ts';
import { toNode } from './nodes.ts';
import { OMITTED, OpenDirectory } from './open-directory.ts';
import { PreviousCursor } from './previous-cursor.ts';

export interface ArchiveTreeOptions {
  /** The same source in an earlier point, or in an earlier reading of this run. */
  readonly previous?: { readonly tree: Id; readonly trees: EarlierTrees };
  /** Keep what the earlier reading had and this one lacks: files that vanished while the database was copied. */
  readonly keepVanished?: boolean;
  /** Where the trees are kept on this machine for a later reading. */
  readonly local?: LocalTrees;
}

/** Returns the id of the root tree. */
export async function archiveTree(
  entries: AsyncIterable<readonly Entry[]>,
  root: Meta,
  context: ArchiveContext,
  options: ArchiveTreeOptions = {},
): Promise<Id> {
  return new TreeArchiver(context, options).run(entries, root);
}

class TreeArchiver {
  readonly #context: ArchiveContext;
  readonly #options: ArchiveTreeOptions;
  readonly #files: FileReader;
  readonly #root = Promise.withResolvers<Id>();
  #current: OpenDirectory | undefined;

  constructor(context: ArchiveContext, options: ArchiveTreeOptions) {
    this.#context = context;
    this.#options = options;
    this.#files = new FileReader(context.writer.pool);
    this.#root.promise.catch(() => {});
  }

  async run(entries: AsyncIterable<readonly Entry[]>, meta: Meta): Promise<Id> {
    const root = this.#open(Buffer.alloc(0), meta, undefined, this.#options.previous?.tree);
    this.#current = root;
    for await (const batch of entries) {
      for (const entry of batch) await this.#take(entry);
      this.#context.onAdvance();
      await this.#context.writer.pool.below(WORK_AHEAD);
    }
    await this.#close(root);
    await this.#files.finish();
    return this.#root.promise;
  }

  #take(entry: Entry): void | Promise<void> {
    const directory = this.#current as OpenDirectory;
    if (entry.type === 'up') return this.#close(directory);
    const { cursor } = directory;
    if (cursor?.isStarted === false) return cursor.start().then(() => this.#take(entry));
    if (cursor !== undefined && entry.type === 'file' && this.#takeWritten(directory, cursor, entry)) return;
    const previous = cursor?.seek(entry.name);
    return previous instanceof Promise
      ? previous.then((node) => this.#place(directory, entry, node))
      : this.#place(directory, entry, previous);
  }

  /** Takes over a file of which the earlier tree says exactly what would be said now; false where it does not. */
  #takeWritten(directory: OpenDirectory, cursor: PreviousCursor, entry: Extract<Entry, { type: 'file' }>): boolean {
    const { counts } = this.#context;
    const head = encodeNodeHead(toNode(entry.name, entry.meta, { type: 'file', size: entry.size }));
    const nodes = cursor.passWritten(head, (content) => this.#holds(content));
    if (nodes === undefined) return false;
    directory.addWritten(nodes);
    counts.files++;
    counts.filesUnmodified++;
    counts.bytes += entry.size;
    return true;
  }

  #place(
    directory: OpenDirectory,
    entry: Exclude<Entry, { type: 'up' }>,
    previous: TreeNode | undefined,
  ): void | Promise<void> {
    if (this.#options.keepVanished && previous !== undefined && previous.type !== entry.type) {
      const item = [...pathOf(directory), shown(entry.name)].join('/');
      const reason = `was a ${previous.type} at first and became a ${entry.type} while the database was copied; kept as it is now`;
      this.#context.notify({ kind: 'note', item, reason });
    }
    switch (entry.type) {
      case 'dir': {
        const earlier = previous?.type === 'dir' ? previous.subtree : undefined;
        this.#current = this.#open(entry.name, entry.meta, { directory, slot: directory.reserve() }, earlier);
        return;
      }
      case 'symlink':
        directory.add(encodeNode(toNode(entry.name, entry.meta, { type: 'symlink', linkTarget: entry.target })));
        return;
      case 'file':
        return this.#placeFile(directory, entry, previous?.type === 'file' ? previous : undefined);
    }
  }

  #placeFile(
    directory: OpenDirectory,
    entry: Extract<Entry, { type: 'file' }>,
    previous: TreeNode | undefined,
  ): void | Promise<void> {
    const { counts } = this.#context;
    counts.files++;
    if (previous !== undefined && isUnmodified(entry, previous) && this.#holds(previous.content as Uint8Array)) {
      counts.filesUnmodified++;
      counts.bytes += entry.size;
      directory.add(this.#fileNode(entry, entry.meta, entry.size, previous.content as Uint8Array));
      return;
    }
    const slot = directory.reserve();
    if (entry.body.kind !== 'path') throw new TypeError('an ordered source yields files by path');
    return this.#files.take(entry as PathFile, (outcome) =>
      directory.fill(slot, this.#finishFile(entry, previous, outcome)),
    );
  }

  #finishFile(
    entry: Extract<Entry, { type: 'file' }>,
    previous: TreeNode | undefined,
    outcome: FileOutcome,
  ): Uint8Array {
    const { counts, notify } = this.#context;
    const item = shown((entry as PathFile).body.path);
    if (!outcome.ok) {
      counts.files--;
      const vanished = outcome.errno === 'ENOENT';
      if (vanished && previous !== undefined && this.#options.keepVanished) return this.#kept(item, previous);
      notify({
        kind: vanished ? 'vanished' : 'unreadable',
        item,
        reason: vanished ? 'was deleted before it could be read' : outcome.message,
      });
      return OMITTED;
    }
    const { content, size, mtimeNs, ctimeNs, torn } = outcome.file;
    if (previous === undefined) counts.filesNew++;
    else counts.filesChanged++;
    counts.bytesRead += size;
    counts.bytes += size;
    if (torn)
      notify({ kind: 'changed', item, reason: 'kept changing while it was read; this copy may mix two states' });
    return this.#fileNode(entry, { ...entry.meta, mtimeNs, ctimeNs }, size, content);
  }

  #fileNode(entry: { readonly name: Buffer }, meta: Meta, size: number, content: Uint8Array): Uint8Array {
    return encodeNode(toNode(entry.name, meta, { type: 'file', size, content }));
  }

  /** Whether every storage still holds what an earlier point says the file is made of. The first reading of this run needs no proof. */
  #holds(content: Uint8Array): boolean {
    if (this.#options.keepVanished) return true;
    for (let at = 0; at < content.length; at += 32) if (!this.#context.writer.has('data', content, at)) return false;
    return true;
  }

  #open(
    name: Buffer,
    meta: Meta,
    parent: { directory: OpenDirectory; slot: number } | undefined,
    previousTree: Id | undefined,
  ): OpenDirectory {
    const directory = new OpenDirectory({
      name,
      meta,
      builder: this.#context.writer.newTree(this.#options.local),
      parent,
      previousTree,
      onComplete: (complete) => void this.#complete(complete).catch((error: unknown) => this.#root.reject(error)),
    });
    const { previous, keepVanished } = this.#options;
    if (previous !== undefined && previousTree !== undefined) {
      const nodes = previous.trees.walkTree(previousTree);
      directory.cursor = keepVanished
        ? new PreviousCursor(nodes, { onSkipped: (node) => this.#keep(directory, node) })
        : new PreviousCursor(nodes, { tolerant: true });
    }
    return directory;
  }

  /** A node of the first reading that the second one no longer met. */
  #keep(directory: OpenDirectory, node: TreeNode): void {
    directory.add(this.#kept([...pathOf(directory), shown(node.name)].join('/'), node));
  }

  #kept(item: string, node: TreeNode): Uint8Array {
    const { counts, notify } = this.#context;
    if (node.type === 'file') {
      counts.files++;
      counts.bytes += node.size;
    }
    const reason = 'vanished while the database was copied; kept as the first reading found it';
    notify({ kind: 'note', item, reason });
    return encodeNode(node);
  }

  async #close(directory: OpenDirectory): Promise<void> {
    this.#current = directory.parts.parent?.directory;
    if (this.#options.keepVanished) await directory.cursor?.finish();
    else await directory.cursor?.leave();
    directory.close();
  }

  /** The id of the earlier tree where this one is the same and every storage still holds it. */
  #sameTree({ same, parts }: OpenDirectory): Id | undefined {
    const { previousTree, builder } = parts;
    if (same === undefined || previousTree === undefined) return undefined;
    const isStored = this.#options.keepVanished || this.#context.writer.has('tree', Buffer.from(previousTree, 'hex'));
    const { text, start, end } = same;
    if (!isStored) {
      builder.add(text.bytes.subarray(start, end));
      return undefined;
    }
    builder.finishStored(previousTree, text.bytes);
    releaseAll(text.bytes);
    return previousTree;
  }

  async #complete(directory: OpenDirectory): Promise<void> {
    const { parts } = directory;
    const { counts } = this.#context;
    const tree = this.#sameTree(directory) ?? idFromBytes(await parts.builder.finish());
    counts.directories++;
    if (parts.previousTree === undefined) counts.dirsNew++;
    else if (parts.previousTree === tree) counts.dirsUnmodified++;
    else counts.dirsChanged++;
    if (parts.parent === undefined) this.#root.resolve(tree);
    else
      parts.parent.directory.fill(
        parts.parent.slot,
        encodeNode(toNode(parts.name, parts.meta, { type: 'dir', subtree: tree })),
      );
  }
}

function isUnmodified(entry: Extract<Entry, { type: 'file' }>, previous: TreeNode): boolean {
  return (
    previous.size === entry.size &&
    previous.mtimeNs === entry.meta.mtimeNs &&
    previous.ctimeNs === entry.meta.ctimeNs &&
    previous.inode === entry.meta.inode
  );
}

function pathOf({ parts }: OpenDirectory): string[] {
  return parts.parent === undefined ? [] : [...pathOf(parts.parent.directory), shown(parts.name)];
}

function shown(name: Buffer): string {
  return printable(name.toString('utf8'));
}
