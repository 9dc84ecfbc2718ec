/** Which points a storage cannot restore whole: those that need a blob of which it has no good copy. */
import type { Id } from '../../base/ids.ts';
import type { BlobIndex } from '../index/blob-index.ts';
import type { IndexedRepository } from '../indexed-repository.ts';
import type { StoredSnapshot } from '../snapshots.ts';
import { damageOnly, type Usage } from './usage.ts';

const ALL = 0xffffffff;

/** What the storages lack, by blob: a mask per first row, and for blobs that no index knows. */
export interface Lacks {
  readonly byRow: Uint32Array;
  readonly unindexed: ReadonlyMap<string, number>;
  /** Whether anything is lacking at all. */
  readonly any: boolean;
}

/** Compares what is needed with the good copies there are; `goodMask` tells for a pack which storages hold it whole. */
export function findLacks(index: BlobIndex, usage: Usage, goodMask: (pack: number) => number): Lacks {
  const byRow = new Uint32Array(index.blobCount);
  let any = usage.unindexed.size > 0 || usage.badTrees.size > 0;
  for (let row = 0; row < index.blobCount; row++) {
    const needed = usage.needed[row] as number;
    if (needed === 0) continue;
    let covered = 0;
    index.eachRow(index.isTree(row) ? 'tree' : 'data', index.blobId(row), 0, (copy) => {
      covered |= goodMask(index.packOf(copy));
      return (covered & needed) === needed;
    });
    byRow[row] = needed & ~covered;
    if (byRow[row] !== 0) any = true;
  }
  return { byRow, unindexed: usage.unindexed, any };
}

/** For each point, the storages of its own that cannot restore it whole. Points that are whole everywhere do not stand in it. */
export async function findAffected(
  indexed: IndexedRepository,
  snapshots: readonly StoredSnapshot[],
  lacks: Lacks,
  signal?: AbortSignal,
): Promise<ReadonlyMap<Id, number>> {
  const affected = new Map<Id, number>();
  if (!lacks.any) return affected;
  const walker = new LackWalker(indexed, lacks, signal);
  for (const { id, mask, snapshot } of snapshots) {
    const lacking = ((await walker.ofTree(snapshot.tree)) & mask) >>> 0;
    if (lacking !== 0) affected.set(id, lacking);
  }
  return affected;
}

class LackWalker {
  readonly #indexed: IndexedRepository;
  readonly #lacks: Lacks;
  readonly #signal: AbortSignal | undefined;
  readonly #known: Uint32Array;
  readonly #done: Uint8Array;

  constructor(indexed: IndexedRepository, lacks: Lacks, signal: AbortSignal | undefined) {
    this.#indexed = indexed;
    this.#lacks = lacks;
    this.#signal = signal;
    this.#known = new Uint32Array(indexed.index.blobCount);
    this.#done = new Uint8Array(indexed.index.blobCount);
  }

  /** The storages that lack something of the tree, itself included. */
  async ofTree(tree: Id): Promise<number> {
    const row = this.#indexed.index.firstRow('tree', Buffer.from(tree, 'hex'));
    if (row < 0) return ALL;
    if (this.#done[row] === 1) return this.#known[row] as number;
    this.#signal?.throwIfAborted();
    const lacking = ((this.#lacks.byRow[row] as number) | (await this.#ofNodes(tree))) >>> 0;
    this.#known[row] = lacking;
    this.#done[row] = 1;
    return lacking;
  }

  async #ofNodes(tree: Id): Promise<number> {
    const { index } = this.#indexed;
    let lacking = 0;
    try {
      for await (const nodes of this.#indexed.streamTree(tree)) {
        for (const { subtree, content } of nodes) {
          if (subtree !== undefined) lacking |= await this.ofTree(subtree);
          for (let offset = 0; content !== undefined && offset < content.length; offset += 32) {
            const row = index.firstRow('data', content, offset);
            lacking |= row < 0 ? ALL : (this.#lacks.byRow[row] as number);
          }
        }
      }
    } catch (error) {
      damageOnly(error);
      return ALL;
    }
    return lacking;
  }
}
