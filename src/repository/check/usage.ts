/** Which blobs are needed where: every distinct tree of the given points is read once, marks are kept in typed arrays. */
import { asFailure, type Failure } from '../../base/failure.ts';
import { type Id, idFromBytes } from '../../base/ids.ts';
import type { BlobType } from '../format/blob.ts';
import type { TreeNode } from '../format/tree.ts';
import type { IndexedRepository } from '../indexed-repository.ts';

/** A root tree and the storages on which it must be whole. */
export interface UsageRoot {
  readonly tree: Id;
  readonly mask: number;
}

export interface UsageOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of trees read so far. */
  readonly onTrees?: (trees: number) => void;
}

export interface Usage {
  /** Per first row of a blob (`BlobIndex.firstRow`): the storages on which some point needs it. */
  readonly needed: Uint32Array;
  /** Blobs that no index knows, as `type id`, each with the storages that need it. */
  readonly unindexed: ReadonlyMap<string, number>;
  /** Trees that no storage gives whole: what lies below them is unknown. */
  readonly badTrees: ReadonlyMap<Id, Failure>;
}

const PARALLEL = 8;

export async function traceUsage(
  indexed: IndexedRepository,
  roots: Iterable<UsageRoot>,
  options: UsageOptions = {},
): Promise<Usage> {
  const tracer = new Tracer(indexed, options);
  for (const [tree, mask] of merged(roots)) tracer.enterTree(tree, mask);
  await tracer.run();
  return tracer;
}

/** Points that share a tree are walked together. */
function merged(roots: Iterable<UsageRoot>): Map<Id, number> {
  const masks = new Map<Id, number>();
  for (const { tree, mask } of roots) masks.set(tree, ((masks.get(tree) ?? 0) | mask) >>> 0);
  return masks;
}

class Tracer implements Usage {
  readonly needed: Uint32Array;
  readonly unindexed = new Map<string, number>();
  readonly badTrees = new Map<Id, Failure>();
  readonly #indexed: IndexedRepository;
  readonly #options: UsageOptions;
  readonly #waiting: { readonly tree: Id; readonly mask: number }[] = [];
  #trees = 0;

  constructor(indexed: IndexedRepository, options: UsageOptions) {
    this.#indexed = indexed;
    this.#options = options;
    this.needed = new Uint32Array(indexed.index.blobCount);
  }

  enterTree(tree: Id, mask: number): void {
    const news = this.#mark('tree', Buffer.from(tree, 'hex'), 0, mask);
    if (news !== 0) this.#waiting.push({ tree, mask: news });
  }

  /** A tree being read may bring more trees, so a reader that finds nothing waits for the others. */
  async run(): Promise<void> {
    let reading = 0;
    await new Promise<void>((resolve, reject) => {
      const next = (): void => {
        while (reading < PARALLEL && this.#waiting.length > 0) {
          reading++;
          this.#read(this.#waiting.pop() as { tree: Id; mask: number }).then(() => {
            reading--;
            next();
          }, reject);
        }
        if (reading === 0) resolve();
      };
      next();
    });
  }

  async #read({ tree, mask }: { readonly tree: Id; readonly mask: number }): Promise<void> {
    this.#options.signal?.throwIfAborted();
    try {
      for await (const nodes of this.#indexed.streamTree(tree)) for (const node of nodes) this.#enterNode(node, mask);
    } catch (error) {
      this.badTrees.set(tree, damageOnly(error));
    }
    this.#options.onTrees?.(++this.#trees);
  }

  #enterNode({ content, subtree }: TreeNode, mask: number): void {
    if (subtree !== undefined) this.enterTree(subtree, mask);
    if (content === undefined) return;
    for (let offset = 0; offset < content.length; offset += 32) this.#mark('data', content, offset, mask);
  }

  /** Marks the blob and returns the storages for which that is new. */
  #mark(type: BlobType, id: Uint8Array, offset: number, mask: number): number {
    const row = this.#indexed.index.firstRow(type, id, offset);
    if (row >= 0) {
      const before = this.needed[row] as number;
      this.needed[row] = before | mask;
      return (mask & ~before) >>> 0;
    }
    const key = `${type} ${idFromBytes(id, offset)}`;
    this.unindexed.set(key, ((this.unindexed.get(key) ?? 0) | mask) >>> 0);
    return 0;
  }
}

/** Passes on everything that is not about the bytes: an unreachable storage says nothing about a tree. */
export function damageOnly(error: unknown): Failure {
  const failure = asFailure(error);
  if (failure.code === 'data_damaged' || failure.code === 'data_missing') return failure;
  throw error;
}
