/**
 * Archives a loose source (a base backup, chosen files): whole paths in any order, collected into directories and stored as trees at the end.
 * Held until then: one record a file, and 32 bytes for each of its blobs.
 */
import { type Id, idFromBytes } from '../../base/ids.ts';
import { encodeNode, type TreeNode, type TreeSource } from '../../repository/trees.ts';
import type { LooseEntry, Meta } from '../../sources/entry.ts';
import type { WholeFile } from './comparison.ts';
import { type ArchiveContext, WORK_AHEAD } from './context.ts';
import { cutsOf } from './cuts.ts';
import type { EarlierFiles } from './earlier-files.ts';
import type { FileMerger } from './file-merger.ts';
import { syntheticMeta, toNode } from './nodes.ts';
import { PreviousCursor } from './previous-cursor.ts';
import { storePath } from './store-path.ts';
import { type StoredContent, type StreamCuts, storeStream } from './store-stream.ts';

interface Directory {
  meta: Meta;
  readonly children: Map<string, Directory | Leaf>;
}

type Leaf = FileLeaf | LinkLeaf;

interface FileLeaf {
  readonly meta: Meta;
  readonly size: number;
  /** Ids of its blobs. */
  readonly content: Uint8Array | Promise<Uint8Array>;
}

interface LinkLeaf {
  readonly meta: Meta;
  readonly target: Buffer;
}

/** What an earlier point knows of the files. */
export interface EarlierPoint {
  /** The source as it was, to count what is new, changed and the same. */
  readonly tree?: Id | undefined;
  readonly trees?: TreeSource;
  /** Files read whole are cut as they were. */
  readonly files: EarlierFiles;
  /** For sources that yield changes. */
  readonly merger?: FileMerger;
  /** Hears of each of `files` that was read whole, for a comparison with them. */
  readonly onWhole?: (path: string, file: WholeFile) => void;
}

/** Returns the id of the root tree. */
export async function archiveLoose(
  entries: AsyncIterable<LooseEntry>,
  timeMs: number,
  context: ArchiveContext,
  earlier: EarlierPoint = { files: new Map() },
): Promise<Id> {
  const archiver = new LooseArchiver(context, earlier, syntheticMeta(timeMs, 0o700));
  for await (const entry of entries) await archiver.take(entry);
  return archiver.finish();
}

class LooseArchiver {
  readonly #context: ArchiveContext;
  readonly #earlier: EarlierPoint;
  readonly #fallback: Meta;
  readonly #root: Directory;

  constructor(context: ArchiveContext, earlier: EarlierPoint, fallback: Meta) {
    this.#context = context;
    this.#earlier = earlier;
    this.#fallback = fallback;
    this.#root = { meta: fallback, children: new Map() };
  }

  async take(entry: LooseEntry): Promise<void> {
    if (entry.type === 'dir') {
      this.#directory(split(entry.path)).meta = entry.meta;
      return;
    }
    const parts = split(entry.path);
    const name = parts.pop() as string;
    const directory = this.#directory(parts);
    if (entry.type === 'symlink') {
      directory.children.set(name, { meta: entry.meta, target: entry.target });
      return;
    }
    const stored = await this.#store(entry);
    if (stored === undefined) return;
    directory.children.set(name, { meta: entry.meta, size: stored.size, content: stored.content });
    this.#count(entry, stored.size);
  }

  async finish(): Promise<Id> {
    return idFromBytes(await this.#storeTree(this.#root, this.#earlier.tree));
  }

  #count({ body }: Extract<LooseEntry, { type: 'file' }>, size: number): void {
    const { counts, onAdvance } = this.#context;
    counts.files++;
    counts.bytes += size;
    counts.bytesRead += body.kind === 'changes' ? body.blocks.length * body.pageSize : size;
    onAdvance();
  }

  /** Undefined: it could not be read, and that was told. */
  async #store(entry: Extract<LooseEntry, { type: 'file' }>): Promise<StoredContent | undefined> {
    const { writer, notify } = this.#context;
    const { pool } = writer;
    const { body } = entry;
    switch (body.kind) {
      case 'bytes': {
        const content = this.#storeBytes(body.bytes, this.#cuts(entry)?.lengths);
        content.catch(() => {}); // awaited when the tree is made, unless something else fails before
        const stored = { content, size: body.bytes.length };
        this.#tellWhole(entry, stored);
        return stored;
      }
      case 'stream': {
        const stored = await storeStream(pool, body.chunks, this.#cuts(entry), entry.size);
        await pool.below(WORK_AHEAD);
        this.#tellWhole(entry, stored);
        return stored;
      }
      case 'changes': {
        const { merger } = this.#earlier;
        if (merger === undefined || entry.cutting.by !== 'offset') throw new TypeError('changes of what nobody knows');
        return merger.merge(entry.path, body, entry.size, entry.cutting.grain);
      }
      case 'path':
        return storePath(pool, body.path, entry.size, notify);
    }
  }

  /** Small files are stored as one piece, unless they were cut before. */
  #storeBytes(bytes: Uint8Array, lengths: Uint32Array | undefined): Promise<Uint8Array> {
    const { pool } = this.#context.writer;
    if (lengths === undefined || lengths.length < 2) return pool.storeContent(Uint8Array.from(bytes));
    let at = 0;
    const pieces = Array.from(lengths, (length) => {
      at += length;
      return bytes.slice(at - length, at);
    });
    return pool.storeBlobs(false, pieces);
  }

  #tellWhole({ path, cutting }: Extract<LooseEntry, { type: 'file' }>, stored: StoredContent): void {
    const { files, onWhole } = this.#earlier;
    if (cutting.by === 'offset' && files.has(path)) onWhole?.(path, { ...stored, grain: cutting.grain });
  }

  #cuts({ path, size, cutting }: Extract<LooseEntry, { type: 'file' }>): StreamCuts | undefined {
    if (cutting.by !== 'offset') return undefined;
    const { grain } = cutting;
    const earlier = this.#earlier.files.get(path);
    return earlier === undefined ? { grain } : { grain, lengths: cutsOf(size, grain, earlier.lengths) };
  }

  #directory(parts: readonly string[]): Directory {
    let directory = this.#root;
    for (const part of parts) {
      const known = directory.children.get(part);
      if (known !== undefined && 'children' in known) directory = known;
      else {
        const added: Directory = { meta: this.#fallback, children: new Map() };
        directory.children.set(part, added);
        directory = added;
      }
    }
    return directory;
  }

  /** `before`: the same directory in the earlier point. */
  async #storeTree(directory: Directory, before: Id | undefined): Promise<Uint8Array> {
    const { writer, counts } = this.#context;
    const children = [...directory.children].map(([name, child]) => ({ name: Buffer.from(name), child }));
    children.sort((a, b) => Buffer.compare(a.name, b.name));
    const earlier = this.#nodesOf(before);
    const builder = writer.newTree();
    for (const { name, child } of children) {
      const known = await earlier.seek(name);
      builder.add(
        'children' in child ? await this.#directoryNode(name, child, known) : await this.#leaf(name, child, known),
      );
      await writer.pool.below(WORK_AHEAD);
    }
    await earlier.leave();
    counts.directories++;
    return builder.finish();
  }

  /** An earlier tree that cannot be read only makes its files count as new. */
  #nodesOf(tree: Id | undefined): PreviousCursor {
    const { trees } = this.#earlier;
    const nodes = tree === undefined || trees === undefined ? nothing() : trees.streamTree(tree);
    return new PreviousCursor(nodes, { tolerant: true });
  }

  async #directoryNode(name: Buffer, child: Directory, known: TreeNode | undefined): Promise<Uint8Array> {
    const subtree = idFromBytes(await this.#storeTree(child, known?.type === 'dir' ? known.subtree : undefined));
    return encodeNode(toNode(name, child.meta, { type: 'dir', subtree }));
  }

  async #leaf(name: Buffer, leaf: Leaf, known: TreeNode | undefined): Promise<Uint8Array> {
    const { meta } = leaf;
    if ('target' in leaf) return encodeNode(toNode(name, meta, { type: 'symlink', linkTarget: leaf.target }));
    const { size } = leaf;
    const content = await leaf.content;
    const { counts } = this.#context;
    if (known?.type !== 'file') counts.filesNew++;
    else if (Buffer.compare(known.content ?? Buffer.alloc(0), content) === 0) counts.filesUnmodified++;
    else counts.filesChanged++;
    return encodeNode(toNode(name, meta, { type: 'file', size, content }));
  }
}

async function* nothing(): AsyncGenerator<never> {}

function split(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
