/** What a point holds, for somebody who fetches it: one file in whole or in part, or all below a directory. */
import { hash } from 'node:crypto';
import { Failure } from '../base/failure.ts';
import { type Id, idFromBytes } from '../base/ids.ts';
import { printable } from '../base/printable.ts';
import { type Located, locate, pathOf, readContent } from '../recovery/browse.ts';
import type { IndexedRepository } from '../repository/indexed-repository.ts';
import type { TreeNode } from '../repository/trees.ts';
import { notAFile } from './not-a-file.ts';
import { findPoints } from './restore/find-point.ts';
import type { Session } from './session.ts';

export interface DownloadInput {
  readonly app: string;
  /** An id, its first digits, or `latest`. */
  readonly point: string;
  /** Relative to the app's directory; text, or bytes. */
  readonly path: string | Buffer;
}

/** A file that can be read. */
export interface OpenedFile {
  /** Last part of its path: any bytes. */
  readonly name: Buffer;
  /** Bytes of its content. */
  readonly size: number;
  /** Equal content, equal text. */
  readonly version: string;
  /** Verified bytes from `from` up to, not including, `to`. */
  read(from?: number, to?: number): AsyncGenerator<Buffer>;
}

/** One thing below a directory; a directory comes before what is in it. */
export interface DownloadedEntry {
  /** Relative to the directory that was asked for; no part of it is `..` or empty. */
  readonly path: Buffer;
  readonly type: TreeNode['type'];
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly user?: string;
  readonly group?: string;
  /** Nanoseconds since the epoch. */
  readonly mtimeNs: bigint;
  readonly linkTarget?: Buffer;
  /** Of a file. */
  readonly size: number;
  read(): AsyncGenerator<Buffer>;
}

export interface OpenedDirectory {
  /** Last part of its path; empty for the app's directory. */
  readonly name: Buffer;
  entries(): AsyncGenerator<DownloadedEntry>;
}

/** Throws `point_unknown`, `path_unknown`; what is wrong with the data is thrown while it is read. */
export async function openFile(session: Session, input: DownloadInput): Promise<OpenedFile> {
  const { indexed, located } = await open(session, input);
  const { node, names } = located;
  if (node?.type !== 'file' || node.content === undefined)
    throw notAFile(String(pathOf(names)), node, {
      list: 'Ask for its entries, or for an archive.',
      hint: 'Ask for the entries of the directory that it is in.',
    });
  const sizes = blobSizes(indexed, node.content);
  const { content } = node;
  return {
    name: node.name,
    size: sizes.reduce((sum, size) => sum + size, 0),
    version: hash('sha256', content, 'hex'),
    read: (from = 0, to = Number.POSITIVE_INFINITY) => readPart(session, indexed, content, sizes, from, to),
  };
}

/** The same for a directory; a path to something else gives just that. */
export async function openDirectory(session: Session, input: DownloadInput): Promise<OpenedDirectory> {
  const { indexed, located } = await open(session, input);
  const { node, names, tree } = located;
  const walk = new Walk(session, indexed);
  return {
    name: names.at(-1) ?? Buffer.alloc(0),
    entries: () => (tree === undefined ? walk.one([node!.name], node!) : walk.below([], tree)),
  };
}

async function open(session: Session, { app, point, path }: DownloadInput) {
  const { indexed, points } = await findPoints(session, app, [point]);
  const located: Located = await locate(indexed, points[0]!, path);
  return { indexed, located };
}

class Walk {
  readonly #session: Session;
  readonly #indexed: IndexedRepository;

  constructor(session: Session, indexed: IndexedRepository) {
    this.#session = session;
    this.#indexed = indexed;
  }

  async *below(above: readonly Buffer[], tree: Id): AsyncGenerator<DownloadedEntry> {
    for await (const batch of this.#indexed.streamTree(tree)) {
      for (const node of batch) {
        this.#session.signal.throwIfAborted();
        const names = [...above, plainName(node.name)];
        yield* this.one(names, node);
        if (node.subtree !== undefined) yield* this.below(names, node.subtree);
      }
    }
  }

  async *one(names: readonly Buffer[], node: TreeNode): AsyncGenerator<DownloadedEntry> {
    const content = node.type === 'file' ? (node.content ?? new Uint8Array()) : new Uint8Array();
    const sizes = blobSizes(this.#indexed, content);
    const { type, mode, uid, gid, user, group, mtimeNs, linkTarget } = node;
    yield {
      ...{ path: pathOf(names), type, mode, uid, gid, mtimeNs },
      ...(user === undefined ? {} : { user }),
      ...(group === undefined ? {} : { group }),
      ...(linkTarget === undefined ? {} : { linkTarget }),
      size: sizes.reduce((sum, size) => sum + size, 0),
      read: () => readPart(this.#session, this.#indexed, content, sizes, 0, Number.POSITIVE_INFINITY),
    };
  }
}

/** A name that is a path would leave the directory that an archive is unpacked into. */
function plainName(name: Buffer): Buffer {
  const text = name.toString('latin1');
  if (text !== '' && text !== '.' && text !== '..' && !/[/\0]/.test(text)) return name;
  throw new Failure('data_damaged', `A directory holds the impossible name "${printable(name.toString())}".`);
}

/** Sealing adds an initialisation vector and a tag of 16 bytes each. */
const SEAL = 32;

/** Plain sizes of the blobs whose ids stand in `content`. Throws `data_missing` for one that no index knows. */
function blobSizes(indexed: IndexedRepository, content: Uint8Array): number[] {
  const sizes: number[] = [];
  for (let at = 0; at < content.length; at += 32) {
    const location = indexed.index.locate('data', content.subarray(at, at + 32))[0];
    if (location === undefined)
      throw new Failure('data_missing', `No index knows a part of the file: ${idFromBytes(content, at).slice(0, 8)}.`, {
        hint: 'Run "holdfast check", then "holdfast sync".',
      });
    sizes.push(location.uncompressedLength === 0 ? location.length - SEAL : location.uncompressedLength);
  }
  return sizes;
}

async function* readPart(
  { signal }: Session,
  indexed: IndexedRepository,
  content: Uint8Array,
  sizes: readonly number[],
  from: number,
  to: number,
): AsyncGenerator<Buffer> {
  let first = 0;
  let skipped = 0;
  while (first < sizes.length && skipped + sizes[first]! <= from) skipped += sizes[first++]!;
  let at = skipped;
  for await (const bytes of at < to ? readContent(indexed, content.subarray(first * 32)) : []) {
    signal.throwIfAborted();
    yield bytes.subarray(Math.max(0, from - at), Math.min(bytes.length, to - at));
    at += bytes.length;
    if (at >= to) return;
  }
}
