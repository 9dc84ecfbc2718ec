/**
 * Archives a loose source (a base backup, chosen files): whole paths in any order, collected into directories and stored as trees at the end.
 * Held until then: one record a file, and 32 bytes for each of its blobs.
 */
import { type Id, idFromBytes } from '../../base/ids.ts';
import { encodeNode } from '../../repository/trees.ts';
import type { LooseEntry, Meta } from '../../sources/entry.ts';
import type { WholeFile } from './comparison.ts';
import { type ArchiveContext, WORK_AHEAD } from './context.ts';
import { cutsOf } from './cuts.ts';
import type { EarlierFiles } from './earlier-files.ts';
import type { FileMerger } from './file-merger.ts';
import { syntheticMeta, toNode } from './nodes.ts';
import { storePath } from './store-path.ts';
import { type StoredContent, type StreamCuts, storeStream } from './store-stream.ts';

interface Directory {
  meta: Meta;
  readonly children: Map<string, Directory | Leaf>;
}

interface Leaf {
  readonly encode: (name: Buffer) => Uint8Array | Promise<Uint8Array>;
}

/** What an earlier point knows of the files. */
export interface EarlierPoint {
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
      const { meta, target } = entry;
      directory.children.set(name, {
        encode: (raw) => encodeNode(toNode(raw, meta, { type: 'symlink', linkTarget: target })),
      });
      return;
    }
    const { meta } = entry;
    const stored = await this.#store(entry);
    if (stored === undefined) return;
    const { content, size } = stored;
    directory.children.set(name, {
      encode: async (raw) => encodeNode(toNode(raw, meta, { type: 'file', size, content: await content })),
    });
    this.#count(entry, size);
  }

  async finish(): Promise<Id> {
    return idFromBytes(await this.#storeTree(this.#root));
  }

  #count({ body }: Extract<LooseEntry, { type: 'file' }>, size: number): void {
    const { counts, onAdvance } = this.#context;
    counts.files++;
    counts.bytes += size;
    if (body.kind !== 'changes') {
      counts.filesNew++;
      counts.bytesRead += size;
    } else {
      if (body.blocks.length === 0) counts.filesUnmodified++;
      else counts.filesChanged++;
      counts.bytesRead += body.blocks.length * body.pageSize;
    }
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

  async #storeTree(directory: Directory): Promise<Uint8Array> {
    const { writer, counts } = this.#context;
    const children = [...directory.children].map(([name, child]) => ({ name: Buffer.from(name), child }));
    children.sort((a, b) => Buffer.compare(a.name, b.name));
    const builder = writer.newTree();
    for (const { name, child } of children) {
      if ('children' in child) {
        const subtree = idFromBytes(await this.#storeTree(child));
        builder.add(encodeNode(toNode(name, child.meta, { type: 'dir', subtree })));
      } else {
        builder.add(await child.encode(name));
      }
      await writer.pool.below(WORK_AHEAD);
    }
    counts.directories++;
    return builder.finish();
  }
}

function split(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
