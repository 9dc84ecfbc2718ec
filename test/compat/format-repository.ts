/** A local repository read with nothing but the format code: what the compatibility tests compare with the file system. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { type Id, idFromBytes } from '../../src/base/ids.ts';
import { Sealer } from '../../src/repository/crypto/envelope.ts';
import { openKeyFile } from '../../src/repository/crypto/key-file.ts';
import { parseConfig, type RepositoryConfig } from '../../src/repository/format/config-file.ts';
import { type PackEntry, parseIndex } from '../../src/repository/format/index-file.ts';
import {
  encodePackHeader,
  type PackedBlob,
  packHeaderSize,
  parsePackHeader,
} from '../../src/repository/format/pack-header.ts';
import { parseSnapshot, type Snapshot } from '../../src/repository/format/snapshot.ts';
import { decodeUnpacked } from '../../src/repository/format/unpacked.ts';

export interface ReadRepository {
  readonly config: RepositoryConfig;
  readonly snapshots: readonly Snapshot[];
  readonly packs: readonly PackEntry[];
  /** Plaintext of every blob by type and id. */
  readonly blobs: ReadonlyMap<`${PackedBlob['type']} ${Id}`, Buffer>;
}

export function sha256(bytes: Uint8Array): Id {
  return idFromBytes(createHash('sha256').update(bytes).digest());
}

/** Reads and verifies everything in the repository at `directory`: names, seals, headers against index, blob hashes. */
export async function readRepository(directory: string, password: string): Promise<ReadRepository> {
  const files = async (type: string) => {
    const names = await readdir(join(directory, type));
    return Promise.all(names.map((name) => named(join(directory, type, name), name)));
  };
  const keys = await Promise.all((await files('keys')).map((bytes) => openKeyFile(bytes, password)));
  const sealer = new Sealer(keys.find((key) => key !== undefined)!);
  const config = parseConfig(sealer.open(await readFile(join(directory, 'config'))));
  const snapshots = (await files('snapshots')).map((file) => parseSnapshot(decodeUnpacked(sealer.open(file))));
  const packs: PackEntry[] = [];
  for (const file of await files('index')) {
    parseIndex(decodeUnpacked(sealer.open(file)), (id, blobs) => packs.push({ id, blobs }));
  }
  const blobs = new Map<`${PackedBlob['type']} ${Id}`, Buffer>();
  for (const { id, blobs: indexed } of packs) {
    const pack = await named(join(directory, 'data', id.slice(0, 2), id), id);
    const listed = packBlobs(pack, sealer);
    assert.deepEqual(byOffset(indexed), byOffset(listed));
    for (const blob of listed) blobs.set(`${blob.type} ${blob.id}`, openBlob(pack, blob, sealer));
  }
  return { config, snapshots, packs, blobs };
}

async function named(path: string, name: string): Promise<Buffer> {
  const bytes = await readFile(path);
  assert.equal(sha256(bytes), name);
  return bytes;
}

function packBlobs(pack: Buffer, sealer: Sealer): PackedBlob[] {
  const headerSize = pack.readUInt32LE(pack.length - 4);
  const header = sealer.open(pack.subarray(pack.length - 4 - headerSize, pack.length - 4));
  const blobs = parsePackHeader(header);
  assert.equal(packHeaderSize(blobs), headerSize + 4);
  assert.deepEqual(encodePackHeader(blobs), header);
  return blobs;
}

function openBlob(pack: Buffer, blob: PackedBlob, sealer: Sealer): Buffer {
  const opened = sealer.open(pack.subarray(blob.offset, blob.offset + blob.length));
  const plaintext = blob.uncompressedLength === 0 ? opened : zstdDecompressSync(opened);
  assert.equal(sha256(plaintext), blob.id);
  if (blob.uncompressedLength !== 0) assert.equal(plaintext.length, blob.uncompressedLength);
  return plaintext;
}

function byOffset(blobs: readonly PackedBlob[]): PackedBlob[] {
  return blobs.toSorted((a, b) => a.offset - b.offset);
}
