/**
 * Reads the archives that `tar-writer.ts` writes, and no others: POSIX 2001 with directories, files and symbolic links. Whoever sends one is
 * not trusted: sizes are bounded before memory is taken, and what is unusual is refused rather than guessed.
 */
import { createHash, type Hash } from 'node:crypto';
import { Failure } from '../../base/failure.ts';

export interface TarMember {
  readonly type: 'file' | 'dir' | 'symlink';
  /** As it stands in the archive, without a slash at the end; any bytes. */
  readonly path: Buffer;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since the epoch. */
  readonly mtimeNs: bigint;
  /** Of a file. */
  readonly size: number;
  readonly linkTarget?: Buffer;
  /** Where its header begins, in bytes from the start of the archive. */
  readonly at: number;
  /** The content; read to its end before the next member is asked for. */
  read(): AsyncGenerator<Buffer>;
}

const BLOCK = 512;
const MAX_PAX = 64 * 1024;
const MAX_PATH = 16 * 1024;
/** What may follow the end: archives are filled up to a multiple of some size. */
const MAX_FILLING = 1024 * 1024;
const TYPES: Readonly<Record<string, TarMember['type']>> = { '0': 'file', '2': 'symlink', '5': 'dir' };

export function refused(what: string): Failure {
  return new Failure('package_refused', `This is no whole export package: ${what}.`, {
    hint: 'Nothing of it was kept. Fetch it again, or make it anew with "holdfast export".',
  });
}

/** Bytes in their order, in the portions that are asked for. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #hash = createHash('sha256');
  #marked: Hash = this.#hash.copy();
  #held: Buffer = Buffer.alloc(0);
  /** Bytes handed out. */
  position = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Remembers this place. */
  mark(): void {
    this.#marked = this.#hash.copy();
  }

  /** SHA-256 of everything before the place that was marked last. */
  digestAtMark(): string {
    return this.#marked.copy().digest('hex');
  }

  /** Between 1 and `most` bytes; undefined at the end. */
  async some(most: number): Promise<Buffer | undefined> {
    while (this.#held.length === 0) {
      const next = await this.#source.next();
      if (next.done === true) return undefined;
      this.#held = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    }
    const part = this.#held.subarray(0, most);
    this.#held = this.#held.subarray(part.length);
    this.position += part.length;
    this.#hash.update(part);
    return part;
  }

  async *exactly(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0; ) {
      const part = await this.some(left);
      if (part === undefined) throw refused('it is cut off');
      left -= part.length;
      yield part;
    }
  }

  async whole(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.exactly(length)) parts.push(part);
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

/** Throws `package_refused` for anything else than a whole archive of the kind above. */
export async function* readTar(bytes: ByteReader): AsyncGenerator<TarMember> {
  for (;;) {
    const at = bytes.position;
    bytes.mark();
    let header = await bytes.whole(BLOCK);
    if (isZero(header)) return await readEnd(bytes);
    let extended: ReadonlyMap<string, Buffer> = new Map();
    if (typeOf(header) === 'x') {
      extended = await readPax(bytes, checked(header));
      header = await bytes.whole(BLOCK);
    }
    const member = describe(checked(header), extended, at);
    let read = false;
    yield {
      ...member,
      async *read() {
        read = true;
        yield* bytes.exactly(member.size);
      },
    };
    if (!read) await drain(bytes.exactly(member.size));
    const padding = (BLOCK - (member.size % BLOCK)) % BLOCK;
    if (!isZero(await bytes.whole(padding))) throw refused('there is something between two members');
  }
}

async function readEnd(bytes: ByteReader): Promise<void> {
  if (!isZero(await bytes.whole(BLOCK))) throw refused('its end is not one');
  for (let length = 0; ; ) {
    const part = await bytes.some(BLOCK * 128);
    if (part === undefined) return;
    length += part.length;
    if (length > MAX_FILLING || !isZero(part)) throw refused('something follows its end');
  }
}

async function readPax(bytes: ByteReader, header: Buffer): Promise<ReadonlyMap<string, Buffer>> {
  const size = octal(header, 124, 12);
  if (size > MAX_PAX) throw refused('a name or link in it is too long');
  const records = await bytes.whole(size);
  if (!isZero(await bytes.whole((BLOCK - (size % BLOCK)) % BLOCK))) throw refused('a header in it is damaged');
  const found = new Map<string, Buffer>();
  for (let at = 0; at < records.length; ) {
    const space = records.indexOf(0x20, at);
    const length = Number(text(records.subarray(at, space)));
    const equals = records.indexOf(0x3d, space);
    const fits = space > at && Number.isSafeInteger(length) && length > 0 && at + length <= records.length;
    if (!fits || equals < space || equals >= at + length || records[at + length - 1] !== 0x0a)
      throw refused('a header in it is damaged');
    found.set(text(records.subarray(space + 1, equals)), records.subarray(equals + 1, at + length - 1));
    at += length;
  }
  const known = ['path', 'linkpath', 'size', 'uid', 'gid', 'mtime'];
  for (const key of found.keys()) if (!known.includes(key)) throw refused('a header in it says what none of ours says');
  return found;
}

function describe(header: Buffer, extended: ReadonlyMap<string, Buffer>, at: number): Omit<TarMember, 'read'> {
  const type = TYPES[typeOf(header)];
  if (type === undefined) throw refused('it holds something that is neither file, directory nor symbolic link');
  const number = (key: string, from: number, length: number) => {
    const written = extended.get(key);
    return written === undefined ? octal(header, from, length) : decimal(text(written));
  };
  const path = extended.get('path') ?? field(header, 0, 100);
  const target = type === 'symlink' ? (extended.get('linkpath') ?? field(header, 157, 100)) : undefined;
  if (path.length > MAX_PATH || (target?.length ?? 0) > MAX_PATH) throw refused('a name or link in it is too long');
  if (target?.length === 0 || target?.includes(0) === true) throw refused('a link in it leads nowhere');
  const size = number('size', 124, 12);
  if (type !== 'file' && size !== 0) throw refused('a header in it is damaged');
  return {
    ...{ type, path: type === 'dir' ? withoutSlash(path) : path, size, at },
    ...{ mode: octal(header, 100, 8) & 0o7777, uid: number('uid', 108, 8), gid: number('gid', 116, 8) },
    mtimeNs: nanoseconds(extended.get('mtime'), header),
    ...(target === undefined ? {} : { linkTarget: target }),
  };
}

/** Magic and checksum. */
function checked(header: Buffer): Buffer {
  const said = octal(header, 148, 8);
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  if (said !== sum || header.toString('latin1', 257, 265) !== 'ustar\x0000' || header[345] !== 0)
    throw refused('it is no tar archive, or another one');
  return header;
}

function typeOf(header: Buffer): string {
  return String.fromCharCode(header[156]!);
}

function field(header: Buffer, from: number, length: number): Buffer {
  const end = header.indexOf(0, from);
  return header.subarray(from, end < 0 ? from + length : Math.min(end, from + length));
}

function octal(header: Buffer, from: number, length: number): number {
  const written = /^([0-7]+)[\0 ]*$/.exec(header.toString('latin1', from, from + length))?.[1];
  if (written === undefined) throw refused('it is no tar archive, or another one');
  return Number.parseInt(written, 8);
}

function decimal(written: string): number {
  const value = /^\d{1,16}$/.test(written) ? Number(written) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw refused('a header in it is damaged');
}

function nanoseconds(written: Buffer | undefined, header: Buffer): bigint {
  if (written === undefined) return BigInt(octal(header, 136, 12)) * 1_000_000_000n;
  const [, minus, seconds, fraction = ''] = /^(-?)(\d{1,15})(?:\.(\d{1,9}))?$/.exec(text(written)) ?? [];
  if (seconds === undefined) throw refused('a header in it is damaged');
  const value = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
  return minus === '-' ? -value : value;
}

function withoutSlash(path: Buffer): Buffer {
  return path.at(-1) === 0x2f ? path.subarray(0, -1) : path;
}

function text(bytes: Buffer): string {
  return bytes.toString('latin1');
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

async function drain(parts: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of parts);
}
