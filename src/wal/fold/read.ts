/** Reading what a fold's snapshot holds: its list of segments, and stretches of the segments themselves. */
import { Failure } from '../../base/failure.ts';
import { type Id, idFromBytes } from '../../base/ids.ts';
import { segmentName } from '../../postgres/lsn.ts';
import { type IndexedRepository, plainLength } from '../../repository/indexed-repository.ts';
import type { TreeNode } from '../../repository/trees.ts';
import type { WalSpan } from '../piece.ts';

/** The name of the list within `/<app>/wal`. */
export const FOLD_FILE = 'folded.json';
const MAX_FOLD_FILE = 64 * 1024 * 1024;

/** The directory of a timeline within `/<app>/wal`. */
export function timelineDirectory(timeline: number): string {
  return timeline.toString(16).toUpperCase().padStart(8, '0');
}

export async function readFoldFile(indexed: IndexedRepository, tree: Id, app: string): Promise<Buffer> {
  const file = child(await walDirectory(indexed, tree, app), FOLD_FILE);
  if (file.content === undefined || file.size > MAX_FOLD_FILE) throw lacks(FOLD_FILE);
  return readRange(indexed, file, 0, file.size);
}

/** Reads stretches of segments. Keeps the directory it read last: segments are asked for in the order of the log. */
export class FoldReader {
  readonly #indexed: IndexedRepository;
  #last: { readonly key: string; readonly nodes: ReadonlyMap<string, TreeNode> } | undefined;

  constructor(indexed: IndexedRepository) {
    this.#indexed = indexed;
  }

  /** The bytes of a span that lies within a segment. Throws `data_damaged` or `data_missing`. */
  async read(tree: Id, app: string, span: WalSpan): Promise<Buffer> {
    const { timeline, start, end, segmentSize } = span;
    const name = segmentName(timeline, start, segmentSize);
    const file = (await this.#directory(tree, app, timeline)).get(name);
    if (file?.content === undefined || file.size !== segmentSize) throw lacks(name);
    const offset = Number(start % BigInt(segmentSize));
    return readRange(this.#indexed, file, offset, offset + Number(end - start));
  }

  async #directory(tree: Id, app: string, timeline: number): Promise<ReadonlyMap<string, TreeNode>> {
    const key = `${tree} ${app} ${timeline}`;
    if (this.#last?.key !== key) {
      const directory = child(await walDirectory(this.#indexed, tree, app), timelineDirectory(timeline));
      const nodes = directory.subtree === undefined ? [] : await this.#indexed.readTree(directory.subtree);
      this.#last = { key, nodes: new Map(nodes.map((node) => [node.name.toString(), node])) };
    }
    return this.#last.nodes;
  }
}

async function walDirectory(indexed: IndexedRepository, tree: Id, app: string): Promise<readonly TreeNode[]> {
  const top = child(await indexed.readTree(tree), app);
  const wal = child(top.subtree === undefined ? [] : await indexed.readTree(top.subtree), 'wal');
  return wal.subtree === undefined ? [] : indexed.readTree(wal.subtree);
}

/** The bytes [from, to) of a file. */
async function readRange(indexed: IndexedRepository, file: TreeNode, from: number, to: number): Promise<Buffer> {
  const content = file.content ?? new Uint8Array(0);
  const parts: Buffer[] = [];
  let position = 0;
  for (let at = 0; at < content.length && position < to; at += 32) {
    const length = lengthOf(indexed, content.subarray(at, at + 32));
    const [begin, end] = [Math.max(from - position, 0), Math.min(to - position, length)];
    if (begin < end) parts.push((await indexed.readBlob('data', idFromBytes(content, at))).subarray(begin, end));
    position += length;
  }
  const bytes = Buffer.concat(parts);
  if (bytes.length !== to - from) throw lacks(file.name.toString());
  return bytes;
}

function lengthOf(indexed: IndexedRepository, id: Uint8Array): number {
  const [location] = indexed.index.locate('data', id);
  if (location === undefined) throw new Failure('data_missing', 'A fold rests on a blob that no index knows.');
  return plainLength(location);
}

function child(nodes: readonly TreeNode[], name: string): TreeNode {
  const found = nodes.find((node) => node.name.equals(Buffer.from(name)));
  if (found === undefined) throw lacks(name);
  return found;
}

function lacks(name: string): Failure {
  return new Failure('data_missing', `A snapshot of folded WAL lacks ${name}.`);
}
