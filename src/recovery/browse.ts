/** Finding one path in a point, reading only the directories on the way to it, and describing what is there. */
import { isUtf8 } from 'node:buffer';
import { Failure } from '../base/failure.ts';
import { type Id, idFromBytes, shortId } from '../base/ids.ts';
import { printable } from '../base/printable.ts';
import type { IndexedRepository } from '../repository/indexed-repository.ts';
import type { TreeNode } from '../repository/trees.ts';
import type { OpenedPoint } from './point.ts';

/** A place in a point: a node, or the app's directory itself. */
export interface Located {
  /** Names from the app's directory down; empty for the directory itself. */
  readonly names: readonly Buffer[];
  readonly node: TreeNode | undefined;
  /** The tree, where it is a directory. */
  readonly tree: Id | undefined;
}

/**
 * Paths count from the app's directory; one that begins with `/` may begin with the app's name, as other programs print it. A path of bytes
 * names what no text can name.
 */
export async function locate(indexed: IndexedRepository, point: OpenedPoint, path: string | Buffer): Promise<Located> {
  const names = pathNames(point, path);
  let node: TreeNode | undefined;
  let tree: Id | undefined = point.root;
  for (const [depth, name] of names.entries()) {
    node = tree === undefined ? undefined : await findChild(indexed, tree, name);
    if (node === undefined) throw unknownPath(point, names.slice(0, depth + 1));
    tree = node.type === 'dir' ? node.subtree : undefined;
  }
  return { names, node, tree };
}

function pathNames(point: OpenedPoint, path: string | Buffer): Buffer[] {
  const bytes = (typeof path === 'string' ? Buffer.from(path) : path).toString('latin1');
  const parts = bytes.split('/').filter((part) => part !== '' && part !== '.');
  const names = parts.map((part) => Buffer.from(part, 'latin1'));
  const skipsApp = bytes.startsWith('/') && point.app !== undefined && names[0]?.toString() === point.app;
  return skipsApp ? names.slice(1) : names;
}

/** Names are sorted: what comes after the one wanted need not be read. */
async function findChild(indexed: IndexedRepository, tree: Id, name: Buffer): Promise<TreeNode | undefined> {
  for await (const batch of indexed.streamTree(tree)) {
    const found = batch.find((node) => node.name.equals(name));
    if (found !== undefined) return found;
    const last = batch.at(-1);
    if (last !== undefined && Buffer.compare(last.name, name) > 0) return undefined;
  }
  return undefined;
}

function unknownPath({ stored }: OpenedPoint, names: readonly Buffer[]): Failure {
  const path = printable(names.map(String).join('/'));
  const above = printable(names.slice(0, -1).map(String).join('/'));
  return new Failure('path_unknown', `Point ${shortId(stored.id)} has no ${path}.`, {
    hint: `Look with "holdfast ls ${shortId(stored.id)}${above === '' ? '' : ` ${above}`}", or "holdfast find ${printable(String(names.at(-1)))}".`,
  });
}

/** The verified bytes of a file, blob by blob; the next is fetched while one is used. */
export async function* readContent(indexed: IndexedRepository, content: Uint8Array): AsyncGenerator<Buffer> {
  const fetch = (at: number): Promise<Buffer> | undefined => {
    if (at >= content.length) return undefined;
    const blob = indexed.readBlob('data', idFromBytes(content, at));
    blob.catch(() => {}); // told when its turn comes
    return blob;
  };
  let next = fetch(0);
  for (let at = 32; next !== undefined; at += 32) {
    const bytes = await next;
    next = fetch(at);
    yield bytes;
  }
}

/** What is shown of a file or directory; the members are those of `ls --json`. */
export interface ListedNode {
  /** Relative to the app's directory. Bytes that are no text are replacement characters here, whole in `path_base64`. */
  readonly path: string;
  readonly path_base64?: string;
  readonly type: TreeNode['type'];
  /** Octal, as `chmod` takes it. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  readonly user: string | null;
  readonly group: string | null;
  /** Bytes of a file. */
  readonly size: number;
  /** RFC 3339, UTC, with nanoseconds where there are any. */
  readonly mtime: string;
  readonly link_target?: string;
}

export function describeNode(names: readonly Buffer[], node: TreeNode): ListedNode {
  const path = pathOf(names);
  return {
    path: path.toString(),
    ...(isUtf8(path) ? {} : { path_base64: path.toString('base64') }),
    type: node.type,
    mode: node.mode.toString(8).padStart(4, '0'),
    uid: node.uid,
    gid: node.gid,
    user: node.user ?? null,
    group: node.group ?? null,
    size: node.size,
    mtime: timeText(node.mtimeNs),
    ...(node.linkTarget === undefined ? {} : { link_target: node.linkTarget.toString() }),
  };
}

export function pathOf(names: readonly Buffer[]): Buffer {
  const slash = Buffer.from('/');
  return Buffer.concat(names.flatMap((name, i) => (i === 0 ? [name] : [slash, name])));
}

/** RFC 3339 of nanoseconds since the epoch. */
function timeText(ns: bigint): string {
  const seconds = ns >= 0n ? ns / 1_000_000_000n : (ns - 999_999_999n) / 1_000_000_000n;
  const fraction = ns - seconds * 1_000_000_000n;
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, -5);
  return fraction === 0n ? `${whole}Z` : `${whole}.${fraction.toString().padStart(9, '0').replace(/0+$/, '')}Z`;
}
