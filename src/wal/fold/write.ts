/** Writes the tree of a fold: `/<app>/wal/<timeline>/<segment>`, each timeline with its history file, and the list of all. */
import { type Id, idFromBytes } from '../../base/ids.ts';
import { segmentName } from '../../postgres/lsn.ts';
import type { PointWriter } from '../../repository/point-writer.ts';
import { encodeNode, type TreeNode } from '../../repository/trees.ts';
import type { WalArchive, WalInventory } from '../archive.ts';
import { encodeFold, type FoldedRun, type FoldRecord } from '../fold-book.ts';
import { historyFileName } from '../timelines.ts';
import { FOLD_FILE, timelineDirectory } from './read.ts';

/** The grain of the database's own files: a segment that is in a point as well is stored once. */
const BLOB = 1024 * 1024;
const GROUP = 4;

export interface FoldSource {
  readonly archive: WalArchive;
  readonly inventory: WalInventory;
  readonly writer: PointWriter;
  /** Milliseconds since the epoch: the times of the files. */
  readonly now: number;
  readonly onSegment: () => void;
}

export interface WrittenFold {
  readonly tree: Id;
  readonly bytes: number;
}

export async function writeFold(source: FoldSource, record: FoldRecord): Promise<WrittenFold> {
  const { writer } = source;
  const timelines = Map.groupBy(record.runs, ({ timeline }) => timeline);
  const nodes: TreeNode[] = [await fileNode(source, FOLD_FILE, encodeFold(record))];
  let bytes = 0;
  for (const [timeline, runs] of timelines) {
    nodes.push(directoryNode(source, timelineDirectory(timeline), await timelineTree(source, timeline, runs)));
    for (const { commits, segmentSize } of runs) bytes += commits.length * segmentSize;
  }
  const wal = directoryNode(source, 'wal', await tree(writer, nodes));
  const app = directoryNode(source, record.app, await tree(writer, [wal]));
  return { tree: await tree(writer, [app]), bytes };
}

async function timelineTree(source: FoldSource, timeline: number, runs: readonly FoldedRun[]): Promise<Id> {
  const nodes: TreeNode[] = [];
  const history = await source.archive.history(timeline, source.inventory);
  if (history !== undefined) nodes.push(await fileNode(source, historyFileName(timeline), history));
  for (const { start, segmentSize, commits } of runs)
    for (let i = 0; i < commits.length; i++) {
      source.archive.repository.settings.signal?.throwIfAborted();
      nodes.push(await segmentNode(source, timeline, start + BigInt(i) * BigInt(segmentSize), segmentSize));
      source.onSegment();
    }
  return tree(source.writer, nodes);
}

async function segmentNode(
  source: FoldSource,
  timeline: number,
  start: bigint,
  segmentSize: number,
): Promise<TreeNode> {
  const { archive, inventory, writer } = source;
  const stored: Promise<Uint8Array>[] = [];
  for await (const { bytes } of archive.read(timeline, start, start + BigInt(segmentSize), inventory)) {
    for (let at = 0; at < bytes.length; at += GROUP * BLOB) {
      const group = bytes.subarray(at, at + GROUP * BLOB);
      const blobs = Array.from({ length: Math.ceil(group.length / BLOB) }, (_, i) =>
        Uint8Array.from(group.subarray(i * BLOB, (i + 1) * BLOB)),
      );
      const ids = writer.pool.storeBlobs(false, blobs);
      ids.catch(() => {}); // awaited below
      stored.push(ids);
    }
    await Promise.all(stored);
  }
  const content = Buffer.concat(await Promise.all(stored));
  return node(source, segmentName(timeline, start, segmentSize), {
    type: 'file',
    mode: 0o600,
    size: segmentSize,
    content,
  });
}

async function fileNode(source: FoldSource, name: string, bytes: Uint8Array): Promise<TreeNode> {
  const content =
    bytes.length === 0 ? new Uint8Array(0) : await source.writer.pool.storeContent(Uint8Array.from(bytes));
  return node(source, name, { type: 'file', mode: 0o600, size: bytes.length, content });
}

/** Passable for everybody: a database server runs as its own user. */
function directoryNode(source: FoldSource, name: string, subtree: Id): TreeNode {
  return node(source, name, { type: 'dir', mode: 0o755, subtree });
}

function node({ now }: FoldSource, name: string, kind: Pick<TreeNode, 'type' | 'mode'> & Partial<TreeNode>): TreeNode {
  const time = BigInt(now) * 1_000_000n;
  const times = { mtimeNs: time, atimeNs: time, ctimeNs: time };
  return { name: Buffer.from(name), ...times, uid: 0, gid: 0, inode: 0n, deviceId: 0n, links: 0, size: 0, ...kind };
}

async function tree(writer: PointWriter, nodes: readonly TreeNode[]): Promise<Id> {
  const builder = writer.newTree();
  for (const each of nodes.toSorted((a, b) => Buffer.compare(a.name, b.name))) builder.add(encodeNode(each));
  return idFromBytes(await builder.finish());
}
