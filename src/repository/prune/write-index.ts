/** Stores index files for packs that are durable already. */
import { hash } from 'node:crypto';
import { type Id, idFromBytes } from '../../base/ids.ts';
import type { CallOptions } from '../../storage/object-store.ts';
import type { PackTable } from '../check/pack-table.ts';
import { encodeIndex, type PackEntry } from '../format/index-file.ts';
import { objectKey } from '../keys.ts';
import type { Replica } from '../replicas.ts';
import type { Repository } from '../repository.ts';

/** Blobs after which an index file is closed and another begun. */
const MAX_BLOBS_PER_INDEX = 50_000;

/** Seals an index document. Documents that are equal get the same bytes: storages that are pruned alike keep the same index files. */
export type SealIndex = (json: string) => { readonly id: Id; readonly bytes: Uint8Array };

export function sealIndexOnce(repository: Repository): SealIndex {
  const sealed = new Map<string, ReturnType<SealIndex>>();
  return (json) => {
    const name = hash('sha256', json, 'hex');
    const made = sealed.get(name) ?? repository.sealUnpacked(json);
    sealed.set(name, made);
    return made;
  };
}

/** Names all blobs of a pack in one file, as readers require. Returns the ids of the new index files. */
export async function writeIndexes(
  seal: SealIndex,
  replica: Replica,
  packs: Iterable<PackEntry>,
  options: CallOptions,
): Promise<Id[]> {
  const stored: Id[] = [];
  for (const batch of batches(packs)) {
    const { id, bytes } = seal(encodeIndex(batch));
    await replica.store.put(objectKey('index', id), bytes, options);
    stored.push(id);
  }
  return stored;
}

function* batches(packs: Iterable<PackEntry>): Generator<PackEntry[]> {
  let batch: PackEntry[] = [];
  let blobs = 0;
  for (const pack of packs) {
    batch.push(pack);
    blobs += pack.blobs.length;
    if (blobs < MAX_BLOBS_PER_INDEX) continue;
    yield batch;
    batch = [];
    blobs = 0;
  }
  if (batch.length > 0) yield batch;
}

/** What an index file says about a pack that is indexed already. */
export function packEntry({ index }: Pick<PackTable, 'index'>, rows: Uint32Array, pack: number): PackEntry {
  const blobs = Array.from(rows, (row) => {
    const { type, offset, length, uncompressedLength } = index.at(row);
    return { type, id: idFromBytes(index.blobId(row)), offset, length, uncompressedLength };
  });
  return { id: index.packId(pack), blobs };
}
