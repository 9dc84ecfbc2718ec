/** The relation files of a cluster in an earlier point: what they are made of, by path. */
import type { Id } from '../../base/ids.ts';
import { type IndexedRepository, plainLength } from '../../repository/indexed-repository.ts';
import type { TreeNode } from '../../repository/trees.ts';

export interface EarlierFile {
  readonly size: number;
  /** Ids of the blobs, 32 bytes each. */
  readonly content: Uint8Array;
  /** Bytes of each blob. */
  readonly lengths: Uint32Array;
}

export type EarlierFiles = ReadonlyMap<string, EarlierFile>;

/** Pieces larger than this are not ours. */
const MAX_PIECE = 16 * 1024 * 1024;
/** Every piece begins and ends with a page. */
const PAGE = 8192;

/**
 * Files below `tree` for which `wanted` is true. One of which a blob is known to be missing or damaged everywhere is left out: it has to be read again.
 * Throws what keeps a tree from being read.
 */
export async function loadEarlierFiles(
  indexed: IndexedRepository,
  tree: Id,
  wanted: (path: string) => boolean,
): Promise<EarlierFiles> {
  const files = new Map<string, EarlierFile>();
  const walk = async (id: Id, prefix: string): Promise<void> => {
    for await (const batch of indexed.streamTree(id)) {
      for (const node of batch) {
        const path = prefix + node.name.toString('utf8');
        if (node.type === 'dir' && node.subtree !== undefined) await walk(node.subtree, `${path}/`);
        else if (node.type === 'file' && wanted(path)) {
          const file = earlierFile(indexed, node);
          if (file !== undefined) files.set(path, file);
        }
      }
    }
  };
  await walk(tree, '');
  return files;
}

function earlierFile({ index }: IndexedRepository, { size, content }: TreeNode): EarlierFile | undefined {
  if (content === undefined) return undefined;
  const lengths = new Uint32Array(content.length / 32);
  let sum = 0;
  for (let i = 0; i < lengths.length; i++) {
    let length = 0;
    index.eachRow('data', content, i * 32, (row) => {
      if (index.packMask(index.packOf(row)) === 0) return false;
      length = plainLength(index.at(row));
      return true;
    });
    if (length === 0 || length > MAX_PIECE || length % PAGE !== 0) return undefined;
    lengths[i] = length;
    sum += length;
  }
  return sum === size ? { size, content, lengths } : undefined;
}
