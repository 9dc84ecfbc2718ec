/**
 * Reads a tar stream member by member. Content is handed out as views of the chunks it came in; only headers and small files are copied.
 * Long names come in pax (`x`, `g`) or GNU (`L`, `K`) blocks.
 */
import { BLOCK_BYTES, badTar, decodeHeader, isZeroBlock, type TarHeader, type TarType, tarType } from './header.ts';
import { parsePax } from './pax.ts';

export interface TarMember extends Omit<TarHeader, 'flag'> {
  readonly type: TarType;
}

/** Gives the next piece of the archive, or `undefined` at its end; a piece may be written over at the next call. Best hundreds of KiB. */
export type TarSource = () => Promise<Buffer | undefined>;

/** Names and pax records longer than this are refused. */
const MAX_EXTENSION_BYTES = 1024 * 1024;
const EMPTY = Buffer.alloc(0);

/** Overrides for the next member (and for all, from a global pax header). */
type Extension = Readonly<Record<string, string>>;

export class TarReader {
  readonly #source: TarSource;
  #chunk: Buffer = EMPTY;
  #at = 0;
  /** Content bytes of the current member not handed out yet, and the padding after them. */
  #left = 0;
  #padding = 0;
  #global: Extension = {};
  #ended = false;

  constructor(source: TarSource) {
    this.#source = source;
  }

  /** The next member, after skipping what is left of the current one; `undefined` at the end of the archive. */
  async next(): Promise<TarMember | undefined> {
    await this.#skip(this.#left + this.#padding);
    this.#left = this.#padding = 0;
    let extension: Extension = {};
    for (;;) {
      const header = await this.#header();
      if (!header) return undefined;
      this.#left = header.size;
      this.#padding = (BLOCK_BYTES - (header.size % BLOCK_BYTES)) % BLOCK_BYTES;
      const more = await this.#extension(header);
      if (!more) return this.#member(header, { ...this.#global, ...extension });
      extension = { ...extension, ...more };
    }
  }

  /** The content of the current member, in order, as views; each is valid until the next is asked for. */
  async *content(): AsyncGenerator<Buffer, void, undefined> {
    while (this.#left > 0) yield await this.#view();
  }

  /** All content of the current member in one Buffer of its own: for small members. */
  async readAll(): Promise<Buffer> {
    if (this.#left === 0) return EMPTY;
    const whole = Buffer.allocUnsafe(this.#left);
    for (let at = 0; at < whole.length; ) at += (await this.#view()).copy(whole, at);
    return whole;
  }

  async #view(): Promise<Buffer> {
    if (this.#at === this.#chunk.length) await this.#fill();
    const part = this.#chunk.subarray(this.#at, this.#at + this.#left);
    this.#at += part.length;
    this.#left -= part.length;
    return part;
  }

  async #fill(): Promise<void> {
    let chunk = await this.#source();
    while (chunk?.length === 0) chunk = await this.#source();
    if (!chunk) throw badTar('end (the archive is cut short)');
    this.#chunk = chunk;
    this.#at = 0;
  }

  async #skip(bytes: number): Promise<void> {
    let left = bytes;
    while (left > 0) {
      if (this.#at === this.#chunk.length) await this.#fill();
      const part = Math.min(left, this.#chunk.length - this.#at);
      this.#at += part;
      left -= part;
    }
  }

  /** The next header block; `undefined` at the end marker, after reading the source to its end. */
  async #header(): Promise<TarHeader | undefined> {
    if (this.#ended) return undefined;
    this.#left = BLOCK_BYTES;
    const block = await this.readAll();
    if (!isZeroBlock(block)) return decodeHeader(block);
    this.#ended = true;
    this.#left = 0;
    this.#chunk = EMPTY;
    this.#at = 0;
    while (await this.#source());
    return undefined;
  }

  /** What an extension header says about the member after it; `undefined` when `header` is a member itself. */
  async #extension(header: TarHeader): Promise<Extension | undefined> {
    if (!'xgLK'.includes(header.flag)) return undefined;
    if (header.size > MAX_EXTENSION_BYTES) throw badTar('extension header (too long)');
    const content = await this.readAll();
    await this.#skip(this.#padding);
    if (header.flag === 'L') return { path: untilZero(content) };
    if (header.flag === 'K') return { linkpath: untilZero(content) };
    const records = parsePax(content);
    if (header.flag === 'x') return records;
    this.#global = { ...this.#global, ...records };
    return {};
  }

  #member(header: TarHeader, extension: Extension): TarMember {
    const { flag, ...rest } = header;
    const size = extension.size === undefined ? header.size : wholeNumber(extension.size);
    const type = tarType(flag);
    // Links and directories carry no content, whatever their size field says.
    this.#left = type === 'file' || type === 'other' ? size : 0;
    this.#padding = (BLOCK_BYTES - (this.#left % BLOCK_BYTES)) % BLOCK_BYTES;
    return {
      ...rest,
      type,
      size: this.#left,
      name: extension.path ?? header.name,
      linkName: extension.linkpath ?? header.linkName,
      mtime: extension.mtime === undefined ? header.mtime : Math.floor(Number(extension.mtime)) || 0,
      user: extension.uname ?? header.user,
      group: extension.gname ?? header.group,
    };
  }
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(value)) throw badTar('size');
  return value;
}

function untilZero(content: Buffer): string {
  const end = content.indexOf(0);
  return content.toString('utf8', 0, end < 0 ? content.length : end);
}
