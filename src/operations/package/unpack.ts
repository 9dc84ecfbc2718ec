/**
 * Unpacks an export package into a directory that nobody else can look into. Members must come as they are written: a directory before what is
 * in it, one after the other. So every place that is written to is a directory that was made here a moment ago, and no link is ever followed.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, lchown, lutimes, mkdir, open, symlink } from 'node:fs/promises';
import { errno } from '../../base/errno.ts';
import { printable } from '../../base/printable.ts';
import type { Ownership } from '../../repository/restore-metadata.ts';
import { FORMAT, isControlFile, SUMS, wholeLine } from './layout.ts';
import { SumBook } from './sum-book.ts';
import { type ByteReader, readTar, refused, type TarMember } from './tar-reader.ts';

export interface UnpackOptions {
  /** Absolute; empty, and ours. */
  readonly target: string;
  readonly ownership: Ownership;
  readonly signal: AbortSignal;
  /** Bytes read of the archive so far. */
  readonly onProgress: (bytes: number) => void;
}

export interface Unpacked {
  /** The directory in the archive. */
  readonly name: string;
  readonly files: number;
  readonly directories: number;
  /** Of all files. */
  readonly bytes: number;
  /** Control files of databases: they stand under another name, with `HELD` at its end. */
  readonly held: readonly Buffer[];
}

/** Ends the name of what must not have its name before everything was checked. */
export const HELD = '.unchecked';

const MAX_DEPTH = 1_000;
const MAX_NAME = 255;
const MAX_HELD = 1_000;
/** A program that runs as another account is nothing that a package brings. */
const FILE_MODE = 0o1777;

interface OpenDirectory {
  readonly path: Buffer;
  readonly member: TarMember;
}

/** Throws `package_refused`; what was written by then is still there. */
export async function unpack(bytes: ByteReader, options: UnpackOptions): Promise<Unpacked> {
  await using sums = await SumBook.open();
  await sums.remark(FORMAT);
  return await new Unpacking(bytes, sums, options).perform();
}

class Unpacking {
  readonly #bytes: ByteReader;
  readonly #sums: SumBook;
  readonly #options: UnpackOptions;
  readonly #open: OpenDirectory[] = [];
  readonly #held: Buffer[] = [];
  #name: Buffer | undefined;
  #files = 0;
  #directories = 0;
  #fileBytes = 0;

  constructor(bytes: ByteReader, sums: SumBook, options: UnpackOptions) {
    this.#bytes = bytes;
    this.#sums = sums;
    this.#options = options;
  }

  async perform(): Promise<Unpacked> {
    let checked = false;
    for await (const member of readTar(this.#bytes)) {
      this.#options.signal.throwIfAborted();
      if (checked) throw refused('something follows its checksums');
      checked = await this.#take(member);
      this.#options.onProgress(this.#bytes.position);
    }
    if (!checked) throw refused('it ends without its checksums');
    await this.#close(0);
    return {
      ...{ name: this.#name!.toString(), files: this.#files, directories: this.#directories },
      ...{ bytes: this.#fileBytes, held: this.#held },
    };
  }

  /** True for the checksums, which are the end. */
  async #take(member: TarMember): Promise<boolean> {
    const names = this.#namesOf(member);
    const path = Buffer.concat(names.flatMap((name, at) => (at === 0 ? [name] : [SLASH, name])));
    await this.#close(names.length - 1);
    const above = this.#open.at(-1)?.path ?? Buffer.alloc(0);
    if (this.#open.length !== names.length - 1 || !above.equals(path.subarray(0, Math.max(0, path.lastIndexOf('/')))))
      throw refused(`the directory of ${shown(path)} is not there`);
    if (path.equals(Buffer.from(SUMS))) return this.#checkSums(member);
    await this.#refusingWrongNames(path, () => this.#make(member, path));
    return false;
  }

  async #make(member: TarMember, path: Buffer): Promise<void> {
    const place = this.#placeOf(path);
    if (member.type === 'dir') {
      await mkdir(place, 0o700);
      this.#open.push({ path, member });
      this.#directories += 1;
    } else if (member.type === 'symlink') {
      await symlink(member.linkTarget!, place);
      await this.#own(place, member);
      await lutimes(place, seconds(member), seconds(member));
    } else {
      await this.#writeFile(member, path);
    }
  }

  async #writeFile(member: TarMember, path: Buffer): Promise<void> {
    const held = isControlFile(path);
    if (held && this.#held.push(path) > MAX_HELD) throw refused('it holds too many databases');
    const place = held ? Buffer.concat([this.#placeOf(path), Buffer.from(HELD)]) : this.#placeOf(path);
    const hash = createHash('sha256');
    await using file = await open(place, NEW_FILE, 0o600);
    for await (const part of member.read()) {
      this.#options.signal.throwIfAborted();
      hash.update(part);
      await writeAll(file, part);
      this.#options.onProgress(this.#bytes.position);
    }
    await this.#own(place, member);
    await file.chmod(member.mode & FILE_MODE);
    await file.utimes(seconds(member), seconds(member));
    await this.#sums.add(path, hash.digest('hex'));
    this.#files += 1;
    this.#fileBytes += member.size;
  }

  /** What the archive says of itself must be, byte for byte, what was found. */
  async #checkSums(member: TarMember): Promise<true> {
    if (member.type !== 'file') throw refused('it ends without its checksums');
    await this.#sums.remark(wholeLine(member.at, this.#bytes.digestAtMark()));
    const said = member.read();
    let rest: Buffer = Buffer.alloc(0);
    for await (const found of this.#sums.read()) {
      for (let at = 0; at < found.length; ) {
        if (rest.length === 0) {
          const next = await said.next();
          if (next.done === true) throw refused('its checksums do not name all that is in it');
          rest = next.value;
        }
        const length = Math.min(rest.length, found.length - at);
        if (!rest.subarray(0, length).equals(found.subarray(at, at + length)))
          throw refused('what is in it is not what its checksums say; it was changed or damaged');
        rest = rest.subarray(length);
        at += length;
      }
    }
    if (rest.length > 0 || (await said.next()).done !== true)
      throw refused('its checksums name more than there is in it');
    await this.#writeSums(member);
    return true;
  }

  async #writeSums(member: TarMember): Promise<void> {
    const place = this.#placeOf(Buffer.from(SUMS));
    await using file = await open(place, NEW_FILE, 0o600);
    for await (const part of this.#sums.read()) await writeAll(file, part);
    await this.#own(place, member);
  }

  /** Below the one directory that everything is in. */
  #namesOf({ path }: TarMember): Buffer[] {
    const names = split(path);
    for (const name of names) {
      const text = name.toString('latin1');
      if (text === '' || text === '.' || text === '..' || text.includes('\0') || name.length > MAX_NAME)
        throw refused(`it holds the name ${shown(path)}`);
    }
    this.#name ??= names[0]!;
    if (names.length < 2 || names.length > MAX_DEPTH || !names[0]!.equals(this.#name))
      throw refused(`it holds the name ${shown(path)}`);
    return names.slice(1);
  }

  /** Directories get their owner, mode and time once nothing more is written into them. */
  async #close(depth: number): Promise<void> {
    while (this.#open.length > depth) {
      const { path, member } = this.#open.pop()!;
      const place = this.#placeOf(path);
      await this.#own(place, member);
      await chmod(place, member.mode);
      await lutimes(place, seconds(member), seconds(member));
    }
  }

  async #own(place: Buffer, { uid, gid }: TarMember): Promise<void> {
    const { ownership } = this.#options;
    if (ownership === 'none') return;
    if (ownership === 'recorded') await lchown(place, uid, gid);
    else await lchown(place, ownership.uid, ownership.gid);
  }

  #placeOf(path: Buffer): Buffer {
    return Buffer.concat([Buffer.from(`${this.#options.target}/`), path]);
  }

  async #refusingWrongNames(path: Buffer, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const code = errno(error);
      if (code === 'EEXIST') throw refused(`it holds ${shown(path)} twice`);
      if (code === 'ENAMETOOLONG' || code === 'EILSEQ' || code === 'EINVAL')
        throw refused(`this file system cannot hold ${shown(path)}`);
      throw error;
    }
  }
}

const SLASH = Buffer.from('/');
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

async function writeAll(
  file: { write: (bytes: Buffer, at: number) => Promise<{ bytesWritten: number }> },
  part: Buffer,
) {
  for (let at = 0; at < part.length; ) at += (await file.write(part, at)).bytesWritten;
}

function split(path: Buffer): Buffer[] {
  return path
    .toString('latin1')
    .split('/')
    .map((name) => Buffer.from(name, 'latin1'));
}

function seconds({ mtimeNs }: TarMember): number {
  return Number(mtimeNs) / 1e9;
}

function shown(path: Buffer): string {
  return `"${printable(path.subarray(0, 200).toString())}"`;
}
