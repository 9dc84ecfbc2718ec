/** The root of a point and its snapshot: what restic sees of it. */
import { type Id, idFromBytes } from '../../base/ids.ts';
import type { Manifest } from '../../recovery/manifest.ts';
import type { PointWriter } from '../../repository/point-writer.ts';
import type { Snapshot } from '../../repository/snapshots.ts';
import { encodeNode, type TreeNode } from '../../repository/trees.ts';
import type { SourceCounts } from '../archive/context.ts';
import { syntheticMeta, toNode } from '../archive/nodes.ts';
import type { Page } from '../runbook/pages.ts';
import type { ReadSource } from './sources.ts';

export interface PointContent {
  readonly manifest: Manifest;
  /** Files beside the manifest. */
  readonly pages: readonly Page[];
  readonly sources: readonly ReadSource[];
}

/**
 * Stores `/<app>/manifest.json`, `/<app>/<page>` and `/<app>/<source>` and returns the root tree. The app's directory is passable for everybody: a database
 * server that runs as its own user must reach its data directory in a restored tree.
 */
export async function storeRoot(
  writer: PointWriter,
  app: string,
  { manifest, pages, sources }: PointContent,
  timeMs: number,
): Promise<Id> {
  const own = [{ name: 'manifest.json', text: `${JSON.stringify(manifest, null, 2)}\n` }, ...pages];
  const files: TreeNode[] = [];
  for (const page of own) files.push(await storePage(writer, page, timeMs));
  const nodes = [
    ...files,
    ...sources.map(({ name, meta: own, tree }) => toNode(Buffer.from(name), own, { type: 'dir', subtree: tree })),
  ];
  nodes.sort((a, b) => Buffer.compare(a.name, b.name));
  const directory = writer.newTree();
  for (const node of nodes) directory.add(encodeNode(node));
  const appTree = idFromBytes(await directory.finish());
  const root = writer.newTree();
  root.add(encodeNode(toNode(Buffer.from(app), syntheticMeta(timeMs, 0o755), { type: 'dir', subtree: appTree })));
  return idFromBytes(await root.finish());
}

async function storePage(writer: PointWriter, { name, text }: Page, timeMs: number): Promise<TreeNode> {
  const bytes = Uint8Array.from(Buffer.from(text));
  const size = bytes.length; // taken before: the bytes go over to the sealing thread, and none are left here
  const content = await writer.pool.storeContent(bytes);
  return toNode(Buffer.from(name), syntheticMeta(timeMs, 0o600), { type: 'file', size, content });
}

export interface SnapshotFacts {
  readonly app: string;
  readonly label?: string;
  /** The run of the service that makes it. */
  readonly run?: string;
  readonly tree: Id;
  readonly parent?: Id;
  readonly startMs: number;
  readonly endMs: number;
  readonly hostname: string;
  readonly username: string;
  readonly programVersion: string;
  readonly sources: readonly ReadSource[];
  readonly added: { readonly blobs: number; readonly bytes: number; readonly packedBytes: number };
}

export function buildSnapshot(facts: SnapshotFacts): Snapshot {
  const sum = (pick: (counts: SourceCounts) => number): number =>
    facts.sources.reduce((total, { counts }) => total + pick(counts), 0);
  return {
    time: new Date(facts.endMs).toISOString(),
    tree: facts.tree,
    ...(facts.parent === undefined ? {} : { parent: facts.parent }),
    paths: [`/${facts.app}`],
    hostname: facts.hostname,
    username: facts.username,
    tags: pointTags(facts),
    program_version: facts.programVersion,
    summary: {
      backup_start: new Date(facts.startMs).toISOString(),
      backup_end: new Date(facts.endMs).toISOString(),
      files_new: sum((counts) => counts.filesNew),
      files_changed: sum((counts) => counts.filesChanged),
      files_unmodified: sum((counts) => counts.filesUnmodified),
      dirs_new: sum((counts) => counts.dirsNew),
      dirs_changed: sum((counts) => counts.dirsChanged),
      dirs_unmodified: sum((counts) => counts.dirsUnmodified),
      data_blobs: facts.added.blobs,
      tree_blobs: 0,
      data_added: facts.added.bytes,
      data_added_packed: facts.added.packedBytes,
      total_files_processed: sum((counts) => counts.files),
      total_bytes_processed: sum((counts) => counts.bytes),
    },
  };
}

function pointTags({ app, sources, label, run }: SnapshotFacts): string[] {
  return [
    'holdfast',
    `app=${app}`,
    ...sources.map(({ name }) => `source=${name}`),
    ...(label === undefined ? [] : [`label=${label}`]),
    ...(run === undefined ? [] : [`run=${run}`]),
  ];
}
