/** A repository written with nothing but the format code, in the plainest way: one data pack, one tree pack, one index, one snapshot. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import type { Id } from '../../src/base/ids.ts';
import { ENVELOPE_OVERHEAD, Sealer } from '../../src/repository/crypto/envelope.ts';
import { createKeyFile, generateMasterKey } from '../../src/repository/crypto/key-file.ts';
import type { BlobType } from '../../src/repository/format/blob.ts';
import { encodeConfig, newRepositoryConfig } from '../../src/repository/format/config-file.ts';
import { encodeIndex, type PackEntry } from '../../src/repository/format/index-file.ts';
import { encodePackHeader, type PackedBlob } from '../../src/repository/format/pack-header.ts';
import { encodeSnapshot, type Snapshot } from '../../src/repository/format/snapshot.ts';
import { encodeUnpacked } from '../../src/repository/format/unpacked.ts';
import { sha256 } from './format-repository.ts';

const CREATED = '2026-01-02T03:04:05.678Z';

export class PlainWriter {
  readonly #directory: string;
  readonly #masterKey = generateMasterKey();
  readonly #sealer = new Sealer(this.#masterKey);
  readonly #blobs: Record<BlobType, Map<Id, Buffer>> = { data: new Map(), tree: new Map() };

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Keeps a blob for the pack of its type. */
  add(type: BlobType, plaintext: Buffer): Id {
    const id = sha256(plaintext);
    this.#blobs[type].set(id, plaintext);
    return id;
  }

  /** Writes everything, with a snapshot of the tree `root`. */
  async write(root: Id, password: string): Promise<void> {
    const { bytes, id } = createKeyFile({
      ...{ password, masterKey: this.#masterKey, hostname: 'vm', username: 'root', created: CREATED },
    });
    await this.#file(`keys/${id}`, bytes);
    await this.#file('config', this.#sealer.seal(encodeConfig(newRepositoryConfig())));
    const packs: PackEntry[] = [];
    for (const type of ['data', 'tree'] as const) packs.push(await this.#pack(type));
    await this.#named('index', encodeUnpacked(encodeIndex(packs), true));
    const snapshot: Snapshot = { time: CREATED, tree: root, paths: ['/app'], hostname: 'vm', tags: ['holdfast'] };
    await this.#named('snapshots', encodeUnpacked(encodeSnapshot(snapshot), false));
  }

  /** Compresses every other data blob and all trees. */
  async #pack(type: BlobType): Promise<PackEntry> {
    const parts: Buffer[] = [];
    const blobs: PackedBlob[] = [];
    let offset = 0;
    for (const [id, plaintext] of this.#blobs[type]) {
      const compress = plaintext.length > 0 && (type === 'tree' || blobs.length % 2 === 0);
      const sealed = this.#sealer.seal(compress ? zstdCompressSync(plaintext) : plaintext);
      blobs.push({ type, id, offset, length: sealed.length, uncompressedLength: compress ? plaintext.length : 0 });
      parts.push(sealed);
      offset += sealed.length;
    }
    const header = encodePackHeader(blobs);
    const end = Buffer.alloc(header.length + ENVELOPE_OVERHEAD + 4);
    end.writeUInt32LE(this.#sealer.sealInto(header, end, 0), header.length + ENVELOPE_OVERHEAD);
    const pack = Buffer.concat([...parts, end]);
    const id = sha256(pack);
    await this.#file(`data/${id.slice(0, 2)}/${id}`, pack);
    return { id, blobs };
  }

  async #named(type: string, plaintext: Buffer): Promise<void> {
    const sealed = this.#sealer.seal(plaintext);
    await this.#file(`${type}/${sha256(sealed)}`, sealed);
  }

  async #file(path: string, bytes: Buffer): Promise<void> {
    const target = join(this.#directory, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, bytes);
  }
}
