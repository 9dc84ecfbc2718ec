/** Reads the index files of all storages into one blob index; each file is fetched once, from the nearest storage that has it. */
import { atOnce } from '../base/at-once.ts';

import { asFailure, type Failure } from '../base/failure.ts';
import type { Id } from '../base/ids.ts';
import { scanIndex } from './format/index-file.ts';
import { decodeUnpackedBytes } from './format/unpacked.ts';
import { BlobIndex } from './index/blob-index.ts';
import { IndexedRepository } from './indexed-repository.ts';
import { objectKey } from './keys.ts';
import type { Repository } from './repository.ts';

const PARALLEL = 4;

export interface DamagedIndex {
  readonly id: Id;
  readonly mask: number;
  readonly failure: Failure;
}

export async function loadIndexes(repository: Repository): Promise<IndexedRepository> {
  const presence = await repository.presence('index');
  const index = new BlobIndex(presence.size * 1024);
  const damaged: DamagedIndex[] = [];
  await atOnce(PARALLEL, presence, async ([id, mask]) => {
    try {
      addToIndex(index, await readIndex(repository, id, mask), mask);
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code !== 'data_damaged' && failure.code !== 'data_missing') throw failure;
      damaged.push({ id, mask, failure });
    }
  });
  return new IndexedRepository(repository, index, presence, damaged);
}

async function readIndex(repository: Repository, id: Id, mask: number): Promise<Uint8Array> {
  const open = (bytes: Uint8Array) => decodeUnpackedBytes(repository.openNamed(bytes, id));
  return repository.read(mask, objectKey('index', id), open);
}

/** Adds the packs of one index document, as held by the storages of `mask`. */
function addToIndex(index: BlobIndex, document: Uint8Array, mask: number): void {
  let pack = -1;
  let isNew = false;
  scanIndex(document, {
    pack: (id) => {
      ({ pack, isNew } = index.addPack(id, mask));
    },
    blob: (type, id, offset, length, uncompressedLength) => {
      if (isNew) index.addBlob(pack, type === 1, id, offset, length, uncompressedLength);
    },
  });
}
