/** A repository whose index is loaded: it can find, read and verify every blob. */
import { createZstdDecompress } from 'node:zlib';
import { Failure } from '../base/failure.ts';
import type { Id } from '../base/ids.ts';
import { type BlobType, openBlob } from './format/blob.ts';
import { parseTree, type TreeNode, TreeParser, TreeText } from './format/tree.ts';
import type { BlobIndex, BlobLocation } from './index/blob-index.ts';
import type { DamagedIndex } from './index-loader.ts';
import { objectKey } from './keys.ts';
import type { Presence, Repository } from './repository.ts';

/** Trees above this plain size are decompressed and parsed as a stream. */
const STREAM_FROM = 8 * 1024 * 1024;

export { plainLength } from './format/blob.ts';

export class IndexedRepository {
  readonly repository: Repository;
  readonly index: BlobIndex;
  /** The index files that were loaded, and where they are. */
  readonly indexFiles: Presence;
  /** Index files that no storage could give whole. */
  readonly damagedIndexes: readonly DamagedIndex[];

  constructor(repository: Repository, index: BlobIndex, indexFiles: Presence, damagedIndexes: readonly DamagedIndex[]) {
    this.repository = repository;
    this.index = index;
    this.indexFiles = indexFiles;
    this.damagedIndexes = damagedIndexes;
  }

  /** A blob's plaintext, verified against its id. Every copy in every pack and storage is tried before it fails. */
  async readBlob(type: BlobType, id: Id): Promise<Buffer> {
    const idBytes = Buffer.from(id, 'hex');
    return this.#fromAnyCopy(type, id, idBytes, (sealed, location) => this.#plain(sealed, location, idBytes));
  }

  /** A directory's nodes, all at once; for directories of ordinary size. */
  async readTree(id: Id): Promise<TreeNode[]> {
    const nodes: TreeNode[] = [];
    for await (const batch of this.streamTree(id)) nodes.push(...batch);
    return nodes;
  }

  /** A directory's nodes in order, in batches. A large tree is held sealed (compressed), never plain as a whole. */
  async *streamTree(id: Id): AsyncGenerator<readonly TreeNode[]> {
    const { bytes, length } = await this.#openTree(id);
    if (length === 0) yield parseTree(bytes);
    else yield* this.#parseCompressed(bytes, length);
  }

  /** Like `streamTree`, but a tree of moderate size comes as its text, alone. */
  async *walkTree(id: Id): AsyncGenerator<TreeText | readonly TreeNode[]> {
    const { bytes, length } = await this.#openTree(id);
    if (length === 0) yield TreeText.of(bytes) ?? parseTree(bytes);
    else yield* this.#parseCompressed(bytes, length);
  }

  /** A tree's plaintext, verified (length 0), or of a large one the compressed form and its length when it is not. */
  #openTree(id: Id): Promise<{ bytes: Buffer; length: number }> {
    const idBytes = Buffer.from(id, 'hex');
    return this.#fromAnyCopy('tree', id, idBytes, (sealed, location) =>
      location.uncompressedLength < STREAM_FROM
        ? { bytes: this.#plain(sealed, location, idBytes), length: 0 }
        : { bytes: this.repository.sealer.open(sealed), length: location.uncompressedLength },
    );
  }

  async *#parseCompressed(compressed: Buffer, length: number): AsyncGenerator<readonly TreeNode[]> {
    const parser = new TreeParser();
    const stream = createZstdDecompress();
    stream.end(compressed);
    let seen = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      seen += chunk.length;
      if (seen > length) throw new Failure('data_damaged', 'A tree is longer than its index says.');
      const nodes = parser.push(chunk);
      if (nodes.length > 0) yield nodes;
    }
    parser.end();
  }

  async #fromAnyCopy<T>(
    type: BlobType,
    id: Id,
    idBytes: Uint8Array,
    accept: (sealed: Uint8Array, location: BlobLocation) => T,
  ): Promise<T> {
    const locations = this.index.locate(type, idBytes);
    let lastError: unknown;
    for (const location of locations) {
      try {
        return await this.#fromPack(location, (sealed) => accept(sealed, location));
      } catch (error) {
        this.repository.settings.signal?.throwIfAborted();
        lastError = error;
      }
    }
    if (lastError !== undefined) throw lastError;
    throw new Failure('data_missing', `No index knows the ${type} blob ${id.slice(0, 8)}.`, {
      hint: 'Run "holdfast check" to see what the point lacks, and "holdfast sync" to fetch it from another storage.',
    });
  }

  async #fromPack<T>(location: BlobLocation, accept: (sealed: Uint8Array) => T): Promise<T> {
    const { pack, offset, length } = location;
    const key = objectKey('data', this.index.packId(pack));
    return this.repository.read(this.index.packMask(pack), key, accept, { offset, length });
  }

  #plain(sealed: Uint8Array, location: BlobLocation, idBytes: Uint8Array): Buffer {
    return openBlob(this.repository.sealer.open(sealed), location.uncompressedLength, idBytes);
  }
}
