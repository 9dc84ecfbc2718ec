/**
 * The list of checksums that ends an export package: a line for each file, in the order of the files, as `sha256sum --check` reads it. It
 * grows in a temporary file that has no name, so that a million files take no memory.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BUFFERED = 256 * 1024;

export class SumBook implements AsyncDisposable {
  readonly #file: FileHandle;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #written = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(): Promise<SumBook> {
    const path = join(tmpdir(), `holdfast-sums-${randomBytes(8).toString('hex')}`);
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const file = await open(path, flags, 0o600);
    await rm(path);
    return new SumBook(file);
  }

  /** Bytes of all lines. */
  get size(): number {
    return this.#written + this.#waitingBytes;
  }

  /** `path` counts from the directory that the list is in. */
  async add(path: Buffer, sha256: string): Promise<void> {
    const escaped = inOneLine(path);
    await this.#append(
      Buffer.concat([Buffer.from(`${escaped === path ? '' : '\\'}${sha256}  `), escaped, Buffer.from('\n')]),
    );
  }

  /** A line that `sha256sum` passes over. */
  async remark(text: string): Promise<void> {
    await this.#append(Buffer.from(`# ${text}\n`));
  }

  async *read(): AsyncGenerator<Buffer> {
    await this.#flush();
    for (let at = 0; at < this.#written; ) {
      const { bytesRead, buffer } = await this.#file.read(Buffer.allocUnsafe(BUFFERED), 0, BUFFERED, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  async #append(line: Buffer): Promise<void> {
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    if (this.#waitingBytes >= BUFFERED) await this.#flush();
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at, this.#written);
      at += bytesWritten;
      this.#written += bytesWritten;
    }
  }
}

/** The same buffer where nothing needs it: GNU writes `\n` for a line's end in a name, and begins the line with a backslash. */
function inOneLine(path: Buffer): Buffer {
  const text = path.toString('latin1');
  if (!/[\\\n\r]/.test(text)) return path;
  const written = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return Buffer.from(written, 'latin1');
}
