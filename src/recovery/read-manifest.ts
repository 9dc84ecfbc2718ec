/** Finds and reads the manifest of a point. */
import { Failure } from '../base/failure.ts';
import { idFromBytes, shortId } from '../base/ids.ts';
import type { IndexedRepository } from '../repository/indexed-repository.ts';
import type { StoredSnapshot } from '../repository/snapshots.ts';
import type { TreeNode } from '../repository/trees.ts';
import type { Manifest } from './manifest.ts';

/** A manifest larger than this is not one of ours. */
const MAX_SIZE = 256 * 1024 * 1024;

/** Throws `data_damaged` when the point has no manifest that can be understood. */
export async function readManifest(indexed: IndexedRepository, point: StoredSnapshot, app: string): Promise<Manifest> {
  const directory = child(await indexed.readTree(point.snapshot.tree), app);
  const file = directory?.subtree && child(await indexed.readTree(directory.subtree), 'manifest.json');
  if (!file?.content || file.size > MAX_SIZE) throw unusable(point, 'has no manifest');
  const parts: Buffer[] = [];
  for (let at = 0; at < file.content.length; at += 32) {
    parts.push(await indexed.readBlob('data', idFromBytes(file.content, at)));
  }
  return parseManifest(Buffer.concat(parts).toString('utf8'), point);
}

function parseManifest(text: string, point: StoredSnapshot): Manifest {
  let value: Partial<Manifest> | undefined;
  try {
    value = JSON.parse(text) as Partial<Manifest>;
  } catch (cause) {
    throw unusable(point, 'has a manifest that is no JSON', cause);
  }
  if (value?.format !== 1) throw unusable(point, 'has a manifest of a form that this version does not know');
  if (typeof value.app !== 'string' || typeof value.sources !== 'object' || value.sources === null) {
    throw unusable(point, 'has a manifest without the members every one has');
  }
  return { ...value, references: value.references ?? [], notices: value.notices ?? [] } as Manifest;
}

function child(nodes: readonly TreeNode[], name: string): TreeNode | undefined {
  return nodes.find((node) => node.name.toString('utf8') === name);
}

function unusable(point: StoredSnapshot, what: string, cause?: unknown): Failure {
  return new Failure('data_damaged', `The point ${shortId(point.id)} ${what}.`, {
    hint: 'Its files can still be restored; "holdfast check" says whether anything is damaged.',
    cause,
  });
}
