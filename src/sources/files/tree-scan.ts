/**
 * Lists a directory tree with synchronous calls: depth first, each directory's names in ascending byte order. Runs on a thread of its
 * own (`scan-worker.ts`), where waiting for the disk holds nobody up.
 *
 * Names are byte strings. Full paths are put together in one reused buffer: the bytes before a directory's own end never change while
 * its children are visited. A path of more than 4,095 bytes is refused by the kernel (ENAMETOOLONG) and told as unreadable.
 */
import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { errno } from '../../base/errno.ts';
import type { SourceNotice } from '../entry.ts';
import { isVanished, reasonOf } from '../system-errors.ts';
import { printableBytes } from './byte-names.ts';
import { CACHE_TAG, isCacheTag } from './cache-tag.ts';
import type { IsExcluded } from './exclude.ts';

export interface ScanSettings {
  /** The root's absolute path as a byte string, without a trailing slash; empty for `/`. */
  readonly root: string;
  /** The root's device, for `oneFileSystem`. */
  readonly device: bigint;
  readonly isExcluded: IsExcluded | undefined;
  readonly oneFileSystem: boolean;
  readonly excludeCaches: boolean;
}

/** Where the scan puts what it finds. `BatchPacker` is one. */
export interface ScanSink {
  entry(name: string, mode: number, stats: BigIntStats, target?: string): void;
  up(): void;
  notice(notice: SourceNotice): void;
}

export const S_IFMT = 0o170000;
export const S_IFDIR = 0o040000;
export const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;
const SPECIAL = new Map([
  [0o010000, 'a named pipe (fifo)'],
  [0o020000, 'a character device'],
  [0o060000, 'a block device'],
  [0o140000, 'a socket'],
]);

/** The longest path the kernel takes, plus one name: what one entry's path can need before the kernel has refused it. */
const PATH_CAPACITY = 4096 + 4096;
const LSTAT = { bigint: true, throwIfNoEntry: false } as const;
const BYTES = { encoding: 'latin1' } as const;

export class TreeScan {
  readonly #settings: ScanSettings;
  readonly #sink: ScanSink;
  readonly #path = Buffer.alloc(PATH_CAPACITY);

  constructor(settings: ScanSettings, sink: ScanSink) {
    this.#settings = settings;
    this.#sink = sink;
  }

  /** Visits everything below the root. Throws the system's error when the root itself cannot be listed. */
  run(): void {
    const length = this.#path.write(this.#settings.root, 0, 'latin1');
    const names = readdirSync(length === 0 ? '/' : this.#slice(length), BYTES).sort();
    this.#children(names, length, '');
  }

  /** Visits the children of the directory whose path fills the first `length` bytes of the path buffer. */
  #children(names: readonly string[], length: number, relative: string): void {
    const onlyTag = this.#settings.excludeCaches && this.#isCache(names, length);
    if (onlyTag) this.#notice('skipped', length, `a cache (it has a ${CACHE_TAG})`);
    this.#path[length] = 0x2f;
    for (const name of onlyTag ? [CACHE_TAG] : names) {
      const end = length + 1 + this.#path.write(name, length + 1, 'latin1');
      this.#visit(name, end, relative);
    }
  }

  #visit(name: string, end: number, parent: string): void {
    const stats = this.#attempt(end, () => lstatSync(this.#slice(end), LSTAT));
    if (stats === undefined) return;
    const mode = Number(stats.mode);
    const type = mode & S_IFMT;
    const { isExcluded } = this.#settings;
    const relative = isExcluded === undefined ? '' : `${parent}${name}`;
    if (isExcluded?.(relative, type === S_IFDIR)) return;
    if (type === S_IFREG) this.#sink.entry(name, mode, stats);
    else if (type === S_IFDIR) this.#directory(name, mode, stats, end, `${relative}/`);
    else if (type === S_IFLNK) this.#symlink(name, mode, stats, end);
    else
      this.#notice('skipped', end, `${SPECIAL.get(type) ?? 'a file of an unknown type'}: only its name could be kept`);
  }

  #directory(name: string, mode: number, stats: BigIntStats, end: number, relative: string): void {
    const boundary = this.#settings.oneFileSystem && stats.dev !== this.#settings.device;
    const names = boundary ? [] : this.#attempt(end, () => this.#list(end, stats));
    if (names === undefined) return;
    if (boundary) this.#notice('skipped', end, 'another file system is mounted here (oneFileSystem)');
    this.#sink.entry(name, mode, stats);
    this.#children(names, end, relative);
    this.#sink.up();
  }

  /**
   * The names in a directory. A directory that was exchanged for another one, or for a symbolic link out of the tree, between our two
   * looks is not followed: it counts as vanished.
   */
  #list(end: number, before: BigIntStats): string[] | undefined {
    const names = readdirSync(this.#slice(end), BYTES).sort();
    const after = lstatSync(this.#slice(end), LSTAT);
    return after?.ino === before.ino && after.dev === before.dev ? names : undefined;
  }

  #symlink(name: string, mode: number, stats: BigIntStats, end: number): void {
    const target = this.#attempt(end, () => readlinkSync(this.#slice(end), BYTES));
    if (target !== undefined) this.#sink.entry(name, mode, stats, target);
  }

  /** Runs `call`; when the entry is gone (undefined or a telling error) or cannot be read, says so and returns undefined. */
  #attempt<T>(end: number, call: () => T | undefined): T | undefined {
    try {
      const result = call();
      if (result === undefined) this.#notice('vanished', end, 'it was removed while the tree was being read');
      return result;
    } catch (error) {
      if (isVanished(error)) this.#notice('vanished', end, 'it was removed while the tree was being read');
      else if (errno(error) === undefined) throw error;
      else this.#notice('unreadable', end, reasonOf(error));
      return undefined;
    }
  }

  #isCache(names: readonly string[], length: number): boolean {
    if (!names.includes(CACHE_TAG)) return false;
    const end = length + this.#path.write(`/${CACHE_TAG}`, length, 'latin1');
    return isCacheTag(this.#slice(end));
  }

  #notice(kind: SourceNotice['kind'], end: number, reason: string): void {
    this.#sink.notice({ kind, item: printableBytes(this.#path.toString('latin1', 0, end)) || '/', reason });
  }

  #slice(end: number): Buffer {
    return this.#path.subarray(0, end);
  }
}
