/** Turns packed batches into entries, on the thread that consumes them. A file's full path is put together only when it is asked for. */
import type { Body, Entry, Meta } from '../entry.ts';
import { type Accounts, withNames } from '../file-meta.ts';
import { NUMBERS_PER_ROW, type PackedBatch, WIDE_PER_ROW } from './packed-batch.ts';
import { S_IFDIR, S_IFMT, S_IFREG } from './tree-scan.ts';

const SLASH = 0x2f;

/** A directory on the way to the current entry: its path, ending in a slash. */
interface OpenDirectory {
  readonly prefix: Buffer;
}

/** A body whose path costs nothing until the file is read: of an unchanged file it never is. */
class PathBody {
  readonly kind = 'path';
  readonly #directory: OpenDirectory;
  readonly #name: Buffer;

  constructor(directory: OpenDirectory, name: Buffer) {
    this.#directory = directory;
    this.#name = name;
  }

  get path(): Buffer {
    return Buffer.concat([this.#directory.prefix, this.#name]);
  }
}

export class BatchDecoder {
  readonly #accounts: Accounts;
  readonly #open: OpenDirectory[];

  /** `root`: the absolute path of the tree, without a trailing slash. */
  constructor(root: Buffer, accounts: Accounts) {
    this.#accounts = accounts;
    this.#open = [{ prefix: withSlash(root) }];
  }

  /** The entries of the next batch. With `paths`, the full path of each is added to it as a byte string; that of an `up` is empty. */
  decode(batch: PackedBatch, paths?: string[]): Entry[] {
    const entries: Entry[] = new Array(batch.rows);
    const text = Buffer.from(batch.text.buffer, batch.text.byteOffset, batch.text.byteLength);
    let start = 0;
    for (let row = 0; row < batch.rows; row++) {
      const at = row * NUMBERS_PER_ROW;
      const mode = batch.numbers[at]!;
      const nameEnd = batch.numbers[at + 4]!;
      const end = batch.numbers[at + 5]!;
      const name = text.subarray(start, nameEnd);
      const directory = this.#open.at(-1)!;
      paths?.push(mode === 0 ? '' : directory.prefix.toString('latin1') + name.toString('latin1'));
      entries[row] = mode === 0 ? this.#up() : this.#entry(batch, row, mode, name, text.subarray(nameEnd, end));
      start = end;
    }
    return entries;
  }

  #up(): Entry {
    this.#open.pop();
    return { type: 'up' };
  }

  #entry(batch: PackedBatch, row: number, mode: number, name: Buffer, target: Buffer): Entry {
    const directory = this.#open.at(-1)!;
    const meta = this.#meta(batch, row, mode);
    const type = mode & S_IFMT;
    if (type === S_IFREG) {
      const body: Body = new PathBody(directory, name);
      return { type: 'file', name, meta, size: Number(batch.wide[row * WIDE_PER_ROW]!), body };
    }
    if (type !== S_IFDIR) return { type: 'symlink', name, meta, target };
    this.#open.push({ prefix: withSlash(Buffer.concat([directory.prefix, name])) });
    return { type: 'dir', name, meta };
  }

  #meta(batch: PackedBatch, row: number, mode: number): Meta {
    const at = row * NUMBERS_PER_ROW;
    const wide = row * WIDE_PER_ROW;
    const uid = batch.numbers[at + 1]!;
    const gid = batch.numbers[at + 2]!;
    return withNames(this.#accounts, {
      mode: mode & 0o7777,
      mtimeNs: batch.wide[wide + 1]!,
      ctimeNs: batch.wide[wide + 2]!,
      uid,
      gid,
      inode: BigInt.asUintN(64, batch.wide[wide + 3]!),
      deviceId: BigInt.asUintN(64, batch.wide[wide + 4]!),
      links: batch.numbers[at + 3]!,
    });
  }
}

function withSlash(path: Buffer): Buffer {
  return path.at(-1) === SLASH ? path : Buffer.concat([path, Buffer.of(SLASH)]);
}
