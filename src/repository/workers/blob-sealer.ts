/** Hashes, deduplicates, compresses and seals blobs into packs: what one sealing worker does with plain bytes. */
import { createHash, type Hash } from 'node:crypto';
import { constants, createZstdCompress, zstdCompressSync } from 'node:zlib';
import { releaseAll } from '../../base/release.ts';
import { Sealer } from '../crypto/envelope.ts';
import { PackBinding } from '../crypto/pack-binding.ts';
import { sha256All } from '../crypto/sha256-lanes.ts';
import { FrozenLookup } from '../index/blob-index.ts';
import { Claims } from '../index/claims.ts';
import { BlobNamer } from './blob-namer.ts';
import type { SealedPackMessage, SealStats, SealWorkerData } from './messages.ts';
import { PackBuilder } from './pack-builder.ts';
import { PackMemory } from './pack-memory.ts';

/** Below this size compression gains nothing worth its time. */
const MIN_COMPRESSED = 64;
/** Larger blobs are tried on a sample first: what does not shrink there is stored raw. */
const SAMPLE_FROM = 256 * 1024;
const SAMPLE = 32 * 1024;
const WORTHWHILE = 0.97;

export class BlobSealer {
  readonly stats: SealStats = { newBlobs: 0, newBytes: 0, storedBytes: 0 };
  readonly #namer: BlobNamer;
  readonly #lookup: FrozenLookup;
  readonly #claims: Claims;
  readonly #needed: number;
  readonly #level: number | 'auto' | 'off';
  readonly #target: number;
  /** Two open packs, filled at random, so that a pack does not show the order and sizes of a file's chunks. */
  readonly #data: readonly [PackBuilder, PackBuilder];
  readonly #tree: PackBuilder;
  readonly #emit: (pack: SealedPackMessage) => void;

  constructor(data: SealWorkerData, emit: (pack: SealedPackMessage) => void) {
    const seals = { sealer: new Sealer(data.masterKey), binding: new PackBinding(data.masterKey) };
    this.#namer = new BlobNamer(data.masterKey, data.tags, (id) => this.#lookup.has(false, id, this.#needed));
    this.#lookup = new FrozenLookup(data.index);
    this.#claims = new Claims(data.claims);
    this.#needed = data.needed;
    this.#level = data.settings.compression;
    this.#target = data.settings.packSize;
    const memory = new PackMemory(data.packFlags, this.#target + this.#target / 2);
    const newPack = (isTree: boolean) => new PackBuilder(seals, isTree, this.#target, memory);
    this.#data = [newPack(false), newPack(false)];
    this.#tree = newPack(true);
    this.#emit = emit;
  }

  /** Stores what of `plains` is not known yet, and writes the 32-byte ids one after the other to `target[offset…]`. */
  store(isTree: boolean, plains: readonly Uint8Array[], target: Uint8Array, offset = 0): void {
    const ids = isTree ? sha256All(plains) : this.#namer.names(plains);
    target.set(ids, offset);
    plains.forEach((plain, i) => {
      const id = ids.subarray(i * 32, i * 32 + 32);
      if (!this.#isNew(isTree, id)) return;
      const compressed = this.#compress(isTree, plain);
      this.#append(isTree, id, compressed ?? plain, plain.length, compressed !== undefined);
      if (compressed) releaseAll(compressed);
    });
  }

  /** Stores a blob of which only the compressed form is held. */
  storeCompressed(isTree: boolean, id: Uint8Array, compressed: Uint8Array, plainLength: number): void {
    if (this.#isNew(isTree, id)) this.#append(isTree, id, compressed, plainLength, true);
  }

  /** Tags of chunks, learned since the last call: see blob-namer.ts. */
  takeLearned(): Uint8Array {
    return this.#namer.takeLearned();
  }

  /** Hands over all open packs, merged where two fit in one. */
  flush(): void {
    const [first, second] = this.#data;
    if (first.size + second.size <= this.#target) first.absorb(second);
    for (const pack of [first, second, this.#tree]) if (pack.size > 0) this.#emit(pack.finish());
  }

  #isNew(isTree: boolean, id: Uint8Array): boolean {
    return !this.#lookup.has(isTree, id, this.#needed) && this.#claims.claim(isTree, id);
  }

  #append(isTree: boolean, id: Uint8Array, stored: Uint8Array, plainLength: number, isCompressed: boolean): void {
    const pack = isTree ? this.#tree : this.#data[Math.random() < 0.5 ? 0 : 1];
    this.stats.storedBytes += pack.add(id, stored, isCompressed ? plainLength : 0);
    this.stats.newBlobs += 1;
    this.stats.newBytes += plainLength;
    if (pack.isFull) this.#emit(pack.finish());
  }

  #levelFor(plain: Uint8Array): number {
    if (typeof this.#level === 'number') return this.#level;
    return plain.length >= AUTO_LARGE_FROM ? 1 : 3;
  }

  /** The compressed form, or undefined where raw is better. Trees are always compressed: restic's prune wants it so. */
  #compress(isTree: boolean, plain: Uint8Array): Uint8Array | undefined {
    if (plain.length === 0) return undefined;
    if (isTree) return zstd(plain, this.#levelFor(plain));
    if (this.#level === 'off' || plain.length < MIN_COMPRESSED) return undefined;
    if (plain.length >= SAMPLE_FROM && !shrinks(plain)) return undefined;
    const compressed = zstd(plain, this.#levelFor(plain));
    return compressed.length < plain.length * WORTHWHILE ? compressed : undefined;
  }
}

/**
 * Measured on this project's bench data (docs/performance.md): for relation files level 1 is twice as fast as 3 and not larger; for small
 * blobs the level hardly costs time, and 3 is 5 % smaller.
 */
const AUTO_LARGE_FROM = 128 * 1024;

/** From this size on the frame ends with a checksum of the plaintext, four bytes: a restore may then do with hashing the pack. */
const CHECKSUM_FROM = 16 * 1024;

/** Into one buffer that holds the worst case (ZSTD_compressBound): with less, zstd copies its input first and works across two windows. */
function zstd(plain: Uint8Array, level: number): Uint8Array {
  const small = Math.max(0, (128 * 1024 - plain.length) >> 11);
  return zstdCompressSync(plain, {
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_checksumFlag]: plain.length >= CHECKSUM_FROM ? 1 : 0,
    },
    chunkSize: Math.max(plain.length + (plain.length >>> 8) + small, 64),
  });
}

function shrinks(plain: Uint8Array): boolean {
  const third = Math.floor(plain.length / 3);
  return [0, third, 2 * third].some((at) => {
    const sample = plain.subarray(at, at + SAMPLE);
    return zstd(sample, 1).length < sample.length * WORTHWHILE;
  });
}

/** One large blob that arrives in parts: the hash runs along, only the compressed form is kept. */
export class PartialBlob {
  readonly #hash: Hash = createHash('sha256');
  readonly #zstd = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3 } });
  readonly #compressed: Buffer[] = [];
  #length = 0;

  constructor() {
    this.#zstd.on('data', (chunk: Buffer) => this.#compressed.push(chunk));
  }

  async add(part: Uint8Array): Promise<void> {
    this.#hash.update(part);
    this.#length += part.length;
    await new Promise<void>((resolve, reject) =>
      this.#zstd.write(part, (error) => (error ? reject(error) : resolve())),
    );
  }

  async finish(): Promise<{ id: Buffer; compressed: Buffer; length: number }> {
    await new Promise<void>((resolve, reject) => {
      this.#zstd.once('end', resolve).once('error', reject);
      this.#zstd.end();
    });
    return { id: this.#hash.digest(), compressed: Buffer.concat(this.#compressed), length: this.#length };
  }
}
