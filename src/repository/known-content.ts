/**
 * What this machine remembers of content that it hashed in earlier runs: tags of chunks with the chunks' ids, in a file of the user's cache
 * directory, sealed with the repository's key. Only a memory: without it, or when it cannot be read or written, everything is hashed again.
 */
import { randomUUID } from 'node:crypto';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectories } from '../base/make-directories.ts';
import type { BlobIndex } from './index/blob-index.ts';
import type { Repository } from './repository.ts';
import { mergeRecords, RECORD_SIZE } from './tags/tag-table.ts';
import type { SharedTags } from './workers/blob-namer.ts';

/** Begins the plaintext of the file. */
const HEADER = Buffer.from('holdfast tags 1\n');

/** Bytes of the largest file that is read or written: the chunks of about five terabytes. */
const MAX_SIZE = 256 * 1024 * 1024;

export class KnownContent {
  readonly tags: SharedTags;
  readonly #repository: Repository;
  readonly #directory: string;

  private constructor(repository: Repository, directory: string, records: Uint8Array) {
    this.#repository = repository;
    this.#directory = directory;
    this.tags = { records: new SharedArrayBuffer(records.length), wrong: new SharedArrayBuffer(4) };
    new Uint8Array(this.tags.records).set(records);
  }

  /** Never fails: what cannot be read is not known. `directory` is Holdfast's own among the user's caches. */
  static async load(repository: Repository, directory: string): Promise<KnownContent> {
    const place = join(directory, 'known-content');
    const records = await readRecords(repository, join(place, repository.config.id)).catch(() => Buffer.alloc(0));
    return new KnownContent(repository, place, records);
  }

  /** Adds what was learned, and forgets what `index` does not name any more. Never fails. */
  async save(learned: Uint8Array, index: BlobIndex): Promise<void> {
    if (learned.length === 0) return;
    const earlier = new Uint8Array(this.tags.records);
    const records = mergeRecords(earlier, learned, (id) => index.firstRow('data', id) >= 0);
    if (records.length > MAX_SIZE) return;
    await this.#write(this.#repository.sealer.seal(Buffer.concat([HEADER, records]))).catch(() => undefined);
  }

  /** Forgets everything when a tag was found to be wrong. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (Atomics.load(new Int32Array(this.tags.wrong), 0) !== 0)
      await rm(this.#file, { force: true }).catch(() => undefined);
  }

  get #file(): string {
    return join(this.#directory, this.#repository.config.id);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await makeDirectories(this.#directory, 0o700);
    const temporary = `${this.#file}.${randomUUID()}`;
    try {
      await writeFile(temporary, bytes, { mode: 0o600, flag: 'wx' });
      await rename(temporary, this.#file);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }
}

async function readRecords(repository: Repository, path: string): Promise<Uint8Array> {
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  if (size > MAX_SIZE) return Buffer.alloc(0);
  const plain = repository.sealer.open(await file.readFile());
  const records = plain.subarray(HEADER.length);
  const isOurs = plain.subarray(0, HEADER.length).equals(HEADER) && records.length % RECORD_SIZE === 0;
  return isOurs ? records : Buffer.alloc(0);
}
